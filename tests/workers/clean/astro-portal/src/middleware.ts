import { defineMiddleware } from "astro:middleware";

const OPEN = ["/.well-known/", "/oauth/", "/login"];

export const onRequest = defineMiddleware((context, next) => {
  if (!OPEN.some((path) => context.url.pathname.startsWith(path)) && !context.cookies.has("session")) {
    return context.redirect("/login");
  }
  return next();
});
