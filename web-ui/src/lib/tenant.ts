/** Which tenant a platform admin acts for. Remembered per tab, so that two tabs can look at two tenants. */
const KEY = "watchbell-tenant";

/** The header with which the server is told. */
export const TENANT_HEADER = "X-Watchbell-Tenant";

/** The chosen tenant's id; nothing while one acts for one's own. */
export function chosenTenant(): string | undefined {
  if (typeof window === "undefined") return undefined;
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** Takes effect with the next request; what is on screen has to be fetched again. */
export function chooseTenant(id: string | undefined): void {
  if (id) sessionStorage.setItem(KEY, id);
  else sessionStorage.removeItem(KEY);
}
