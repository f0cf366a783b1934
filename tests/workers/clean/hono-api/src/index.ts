// A small router in place of Hono.
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return new Response("ok");
  },
} satisfies ExportedHandler<Env>;
