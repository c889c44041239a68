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
  const found: Item[] = [];
  let pageToken = "";
  do {
    const page = await fetch(pageToken);
    found.push(...items(page));
    pageToken = page.nextPageToken;
  } while (pageToken && found.length < most);
  return found;
}
