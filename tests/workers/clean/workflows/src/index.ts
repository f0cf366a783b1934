import { WorkflowEntrypoint } from "cloudflare:workers";
export class Onboard extends WorkflowEntrypoint {
  async run() {}
}
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return new Response("ok");
  },
} satisfies ExportedHandler<Env>;
