import cloudflare from "@astrojs/cloudflare";
import { defineConfig } from "astro/config";

export default defineConfig({
  site: "https://portal.example.com",
  output: 'static',
  adapter: cloudflare({ imageService: "compile" }),
});
