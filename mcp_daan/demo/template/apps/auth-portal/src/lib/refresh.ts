import { open, seal } from "./sealing";

// An access token lives 600 s and Exact gives no new one before 570 s: what ends within two minutes is due.
const DUE = `SELECT id, refresh_token_enc FROM connections
  WHERE status = 'active' AND token_expires_at < ?1 ORDER BY token_expires_at LIMIT 50`;

export async function refreshDue(env: Env): Promise<void> {
  const session = env.DB.withSession("first-primary");
  const soon = new Date(Date.now() + 120_000).toISOString();
  const { results } = await session.prepare(DUE).bind(soon).all<{ id: number; refresh_token_enc: string }>();
  for (const { id, refresh_token_enc } of results) {
    await refresh(env, id, await open(refresh_token_enc, env.TOKEN_ENCRYPTION_KEY));
  }
}

async function refresh(env: Env, id: number, token: string): Promise<void> {
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: token });
  const answer = await fetch(env.EXACT_TOKEN_URL, { method: "POST", body });
  if (!answer.ok) {
    await env.DB.prepare("UPDATE connections SET last_error = ?1, refresh_failures = refresh_failures + 1 WHERE id = ?2")
      .bind(`${answer.status} ${(await answer.text()).slice(0, 200)}`, id)
      .run();
    return;
  }
  const fresh = await answer.json<{ access_token: string; refresh_token: string; expires_in: string }>();
  await env.DB.prepare(
    `UPDATE connections SET access_token_enc = ?1, refresh_token_enc = ?2, token_expires_at = ?3,
       last_refreshed_at = ?4, last_error = NULL, refresh_failures = 0 WHERE id = ?5`,
  )
    .bind(
      await seal(fresh.access_token, env.TOKEN_ENCRYPTION_KEY),
      await seal(fresh.refresh_token, env.TOKEN_ENCRYPTION_KEY),
      new Date(Date.now() + Number(fresh.expires_in) * 1000).toISOString(),
      new Date().toISOString(),
      id,
    )
    .run();
}
