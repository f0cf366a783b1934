import { defineConfig } from "astro/config";

// output: "server" is not needed here
export default defineConfig({ site: 'https://docs.example.com' });
