// Something that changes, and tells whoever shows it.

/** Listeners are told at most once for all changes of a moment. */
export class Changing {
  /** Grows with every change. */
  version = 0;
  private readonly listeners = new Set<() => void>();
  private isTold = true;

  /** Be told of changes; the answer ends that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  protected changed(): void {
    this.version += 1;
    if (!this.isTold) return;
    this.isTold = false;
    queueMicrotask(() => {
      this.isTold = true;
      for (const listener of [...this.listeners]) listener();
    });
  }
}
