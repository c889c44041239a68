// What filters find, in words.

import { visible } from "../visible";

const NAMES: Record<string, string> = {
  card: "a card number",
  iban: "an IBAN",
  email: "an e-mail address",
  phone: "a phone number",
  ip: "an IP address",
  term: "a word that is not to be said",
  markup: "active markup",
  active_url: "an address that runs something",
  escape: "terminal sequences",
  control: "control characters",
  bidi: "letters that turn text around",
  invisible: "letters that nobody sees",
  repetition: "the same over and over",
  injection: "other orders for the model",
};

/** What was found, of the categories that verdicts name; those of remote filters are as they say. */
export function foundIn(categories: string[]): string {
  const names = categories.filter(Boolean).map(categoryOf);
  return names.length ? names.join(", ") : "what it found in it";
}

/** One of them. */
export function categoryOf(category: string): string {
  return NAMES[category] ?? visible(category.replaceAll("_", " "));
}
