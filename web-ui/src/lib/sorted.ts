/** What rows are compared by. What is absent stands last, whichever way. */
export type Value = string | number | null | undefined;

/** Items by a value of each, upwards or downwards; equal ones stay as they came. Words go by the language. */
export function inOrderOf<Item>(
  items: readonly Item[],
  compared: (item: Item) => Value,
  isDown: boolean,
  locale: string,
): Item[] {
  const { compare } = new Intl.Collator(locale, { numeric: true });
  const isAbsent = (value: Value) => value === null || value === undefined || value === "";
  const place = (one: Value, other: Value) => {
    if (isAbsent(one) || isAbsent(other)) return Number(isAbsent(one)) - Number(isAbsent(other));
    const up = typeof one === "number" && typeof other === "number" ? one - other : compare(String(one), String(other));
    return isDown ? -up : up;
  };
  return items
    .map((item) => ({ item, value: compared(item) }))
    .sort((one, other) => place(one.value, other.value))
    .map(({ item }) => item);
}
