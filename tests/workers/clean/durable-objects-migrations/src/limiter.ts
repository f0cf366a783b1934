export class Limiter {}
