import type { APIRoute } from "astro";
import { env } from "cloudflare:workers";

export const prerender = false;
export const POST: APIRoute = async ({ request }) => {
  const form = await request.formData();
  return Response.json({ known: env.DB !== undefined, grant: form.get("grant_type") });
};
