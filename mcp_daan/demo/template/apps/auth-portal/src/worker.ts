import astro from "@astrojs/cloudflare/entrypoints/server";
import { refreshDue } from "./lib/refresh";

export default {
  fetch: astro.fetch,
  async scheduled(_controller: ScheduledController, env: Env, context: ExecutionContext): Promise<void> {
    context.waitUntil(refreshDue(env));
  },
} satisfies ExportedHandler<Env>;
