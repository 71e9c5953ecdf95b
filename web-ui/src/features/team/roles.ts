/** From the least to the most. */
export const ROLES = ["viewer", "editor", "owner"] as const;
export type Role = (typeof ROLES)[number];

export function roleOf(text: string | undefined): Role {
  return ROLES.find((role) => role === text) ?? "viewer";
}

/** The roles that one may hand on: one's own and those below. */
export function rolesUpTo(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}
