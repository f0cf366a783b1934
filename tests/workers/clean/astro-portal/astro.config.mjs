import cloudflare from "@astrojs/cloudflare";
import { defineConfig } from "astro/config";

export default defineConfig({
  site: "https://portal.example.com",
  output: "server",
  adapter: cloudflare({ imageService: "compile" }),
});
