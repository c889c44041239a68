// Parts of the page that are loaded when something needs them for the first time.

import { useEffect, useState } from "preact/hooks";

/** Something that is loaded once, and known from then on. */
export class Lazy<Loaded> {
  loaded: Loaded | undefined;
  private loading: Promise<void> | undefined;

  constructor(private readonly load: () => Promise<Loaded>) {}

  /** Load it; one that fails is tried again by the next who needs it. */
  begin(): Promise<void> {
    this.loading ??= this.load().then(
      (loaded) => void (this.loaded = loaded),
      () => void (this.loading = undefined),
    );
    return this.loading;
  }
}

/** What is there already, where it is wanted: draws again when it has come. */
export function useLazy<Loaded>(lazy: Lazy<Loaded>, isWanted: boolean): Loaded | undefined {
  const [, draw] = useState(0);
  useEffect(() => {
    let isThere = true;
    if (isWanted && !lazy.loaded) void lazy.begin().then(() => isThere && draw(1));
    return () => void (isThere = false);
  }, [lazy, isWanted]);
  return isWanted ? lazy.loaded : undefined;
}
