// An index of all pages, made at build time.
export const GET = () => Response.json([]);
