export const onRequestPost = () => new Response("ok");
