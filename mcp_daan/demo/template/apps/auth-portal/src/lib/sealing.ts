// Tokens are kept as v1:<iv>:<ciphertext and tag>, base64url, AES-256-GCM under TOKEN_ENCRYPTION_KEY.
const encode = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decode = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const importKey = (key: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", decode(key), "AES-GCM", false, ["encrypt", "decrypt"]);

export async function seal(token: string, key: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(token);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await importKey(key), plain);
  return `v1:${encode(iv)}:${encode(new Uint8Array(sealed))}`;
}

export async function open(stored: string, key: string): Promise<string> {
  const [, iv, sealed] = stored.split(":");
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: decode(iv) }, await importKey(key), decode(sealed));
  return new TextDecoder().decode(plain);
}
