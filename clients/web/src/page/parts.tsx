// Small parts that everything is made of.

import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { hueOf, initials } from "./words";

const PATHS = {
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2L21 21",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M19 5l-1.7 1.7M6.7 17.3L5 19",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  screen: "M4 5h16v11H4zM9 20h6M12 16v4",
  leave: "M10 5H5v14h5M15 8l4 4-4 4M19 12H9",
  tool: "M14.5 6.5a4 4 0 0 0 3 5.4l-8 8a2.1 2.1 0 0 1-3-3l8-8M14.5 6.5l3 3 2.6-2.6a4 4 0 0 0-5.6-.4z",
  alert: "M12 8v5M12 16.5v.01M12 3l9.5 17h-19z",
  retry: "M20 11a8 8 0 1 0-2.3 6.2M20 5v6h-6",
  archive: "M4 5h16v4H4zM6 9v10h12V9M10 13h4",
  pencil: "M5 19l1-4L16.5 4.5l3 3L9 18z",
  chart: "M5 19V9M12 19V5M19 19v-7",
  keys: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  people: "M9 5a3.2 3.2 0 1 0 0 6.4A3.2 3.2 0 0 0 9 5zM3 18.5c.8-3.2 3-4.5 6-4.5s5.2 1.3 6 4.5M15.5 5.4a3.2 3.2 0 0 1 0 5.6M17.5 14.4c1.8.6 3 1.9 3.5 4.1",
  folder: "M3 6h7l2 2.5h9V19H3z",
  chevron: "M6 9l6 6 6-6",
  before: "M14.5 6l-6 6 6 6",
  after: "M9.5 6l6 6-6 6",
  megaphone: "M4 10v4h3l8 4V6l-8 4zM18 9.5a3.5 3.5 0 0 1 0 5M7.5 14l1.5 5",
  info: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8v.01",
  shield: "M12 3l7.5 2.8v5.4c0 4.6-3 8-7.5 9.8-4.5-1.8-7.5-5.2-7.5-9.8V5.8zM9 12l2.2 2.2L15.2 10",
  flag: "M6 21V4M6 5h12l-2.5 4 2.5 4H6",
  board: "M4 4h16v12H4zM8 20l2-4M16 20l-2-4M8 8h8M8 12h5",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  memory: "M7 4h10a1 1 0 0 1 1 1v15l-6-4-6 4V5a1 1 0 0 1 1-1z",
  unarchive: "M4 5h16v4H4zM6 9v10h12V9M12 17v-5M9.5 14L12 11.5l2.5 2.5",
} as const;

/** What icons there are. */
export type IconName = keyof typeof PATHS;

/** A picture beside words, or in the place of words that its button has as a label. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class={name === "more" ? "icon dots" : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that is a picture. */
export function IconButton(props: {
  name: IconName;
  label: string;
  onClick: () => void;
  class?: string;
  disabled?: boolean;
  expanded?: boolean;
}): JSX.Element {
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      aria-expanded={props.expanded}
      title={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.name} />
    </button>
  );
}

/** The product's mark. */
export function Mark(): JSX.Element {
  return <img class="mark" src="/icon.svg" alt="" width="28" height="28" />;
}

/** Who says something, as a picture. */
export function Avatar({ actor, name }: { actor: string; name: string }): JSX.Element {
  return (
    <span
      class="avatar"
      style={{ "--hue": `${hueOf(actor)}` } as Record<string, string>}
      title={name}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  );
}

/** Copies a text, and says that it has. */
export function CopyButton({ text, label }: { text: string; label: string }): JSX.Element {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => {});
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={label} title={label}>
      <Icon name={isDone ? "check" : "copy"} />
      <span aria-live="polite">{isDone ? "Copied" : ""}</span>
    </button>
  );
}

/** Something is under way. */
export function Spinner({ label }: { label: string }): JSX.Element {
  return (
    <span class="spinner" role="status">
      <span class="hidden">{label}</span>
    </span>
  );
}

/** What went wrong, and perhaps what can be done. */
export function Notice(props: { text: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="notice" role="alert">
      <Icon name="alert" />
      <span>{props.text}</span>
      {props.children}
    </div>
  );
}

/** A window before the page; Escape and a click beside it close it. */
export function Dialog(props: {
  title: string;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key, which is meant for it.
  useLayoutEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{props.title}</h2>
          <IconButton name="close" label="Close" onClick={() => dialog.current?.close()} />
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

/** One of some, by what they are called. */
export function Choice(props: {
  name: string;
  label: string;
  options: Record<string, string | undefined>;
  value: number | string;
  onChange?: (value: string) => void;
}): JSX.Element {
  return (
    <label>
      {props.label}
      <select name={props.name} onChange={(event) => props.onChange?.(event.currentTarget.value)}>
        {Object.entries(props.options).map(([value, words]) => (
          <option key={value} value={value} selected={value === `${props.value}`}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A button that opens a list of things to do. */
export function Menu(props: {
  label: string;
  icon?: IconName;
  button?: ComponentChildren;
  class?: string;
  children: (close: () => void) => ComponentChildren;
}): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  // Ahead of the browser's next event: a key that is pressed at once is for what the menu has first.
  useLayoutEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>(".menu-list button, .menu-list a")?.focus();
    const leave = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("focusin", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("focusin", leave);
    };
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    const items = [...root.current!.querySelectorAll<HTMLElement>(".menu-list button, .menu-list a")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      root.current!.querySelector<HTMLElement>("button")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      items[(at + step + items.length) % items.length]?.focus();
    }
  };
  return (
    <div class={`menu ${props.class ?? ""}`} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class={props.button ? "menu-button" : "icon-button"}
        aria-label={props.label}
        title={props.label}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {props.button ?? <Icon name={props.icon ?? "more"} />}
      </button>
      {isOpen && <div class="menu-list">{props.children(() => setOpen(false))}</div>}
    </div>
  );
}
