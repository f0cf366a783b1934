export default {
  async fetch(request: Request, env: Env) {
    await env.MAILS.send({});
    return new Response("sent");
  },
  async queue(batch: MessageBatch, env: Env) {
    batch.ackAll();
  },
};
