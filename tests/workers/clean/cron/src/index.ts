export default {
  async scheduled(controller: ScheduledController, env: Env) {
    console.log(controller.cron);
  },
};
