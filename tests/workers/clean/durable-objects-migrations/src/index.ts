import { Limiter } from "./limiter";
export { Limiter };
export class Room {
  fetch() {
    return new Response("room");
  }
}
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return new Response("ok");
  },
} satisfies ExportedHandler<Env>;
