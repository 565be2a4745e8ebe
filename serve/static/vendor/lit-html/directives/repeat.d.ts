/** A template for each item. An item's elements go where it goes, known by its key. */
export function repeat<Item>(
  items: Iterable<Item>,
  key: (item: Item, index: number) => unknown,
  template: (item: Item, index: number) => unknown,
): unknown;
