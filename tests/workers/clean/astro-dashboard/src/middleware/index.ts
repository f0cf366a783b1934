import { defineMiddleware } from "astro:middleware";

export const onRequest = defineMiddleware((context, next) => {
  if (context.url.pathname.startsWith("/admin") && !context.cookies.has("session")) {
    return new Response("no", { status: 401 });
  }
  return next();
});
