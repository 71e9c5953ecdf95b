const LOCAL = /\bhttps?:\/\/(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\])(?::\d+)?(?=\/)/;

/**
 * A server that was not told its public address names the one it listens on. The address that the dashboard was
 * opened at works from elsewhere too.
 */
export function reachable(command: string, origin: string): string {
  return command.replace(LOCAL, origin);
}
