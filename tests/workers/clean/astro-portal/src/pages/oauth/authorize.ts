import type { APIRoute } from "astro";

export const GET: APIRoute = ({ url, redirect }) => redirect(`/login?state=${url.searchParams.get("state")}`);
