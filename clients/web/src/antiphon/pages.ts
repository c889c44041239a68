// Lists that come in pages.

interface Page {
  nextPageToken: string;
}

/** All items of a list, page after page, up to a number of them. */
export async function listed<Found extends Page, Item>(
  fetch: (pageToken: string) => Promise<Found>,
  items: (page: Found) => Item[],
  most = Infinity,
): Promise<Item[]> {
  return (await partly(fetch, items, most)).items;
}

/** The same, and whether there are more. Pages are read until there are so many, or no page more. */
export async function partly<Found extends Page, Item>(
  fetch: (pageToken: string) => Promise<Found>,
  items: (page: Found) => Item[],
  most: number,
): Promise<{ items: Item[]; hasMore: boolean }> {
  const found: Item[] = [];
  let pageToken = "";
  do {
    const page = await fetch(pageToken);
    found.push(...items(page));
    pageToken = page.nextPageToken;
  } while (pageToken && found.length < most);
  return { items: found, hasMore: pageToken !== "" };
}
