// What calls' tools ask people, as the events of a turn tell it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ToolCallQuestionAsked } from "../gen/antiphon/events/v1/event_pb";
import { ToolAnswerAction } from "../gen/antiphon/integration/v1/tool_pb";

/** A value of a form's field. */
export type Value = string | number | boolean | string[];

/** What may be chosen, and how that is shown. */
export interface Choice {
  value: string;
  title: string;
}

/** A field of a question's form. */
export interface Field {
  name: string;
  title: string;
  description: string;
  type: "string" | "number" | "integer" | "boolean" | "array";
  isRequired: boolean;
  choices: Choice[];
  initial: Value | undefined;
  minimum: number | undefined;
  maximum: number | undefined;
  maxLength: number | undefined;
}

/** What was done with a question. */
export interface Reply {
  action: ToolAnswerAction;
  by: string;
  content: string;
}

/**
 * A question. `url` is a page to be visited in place of a form; `expireMs` is 0 if it waits without limit; `askedOf`
 * is who alone may answer, if not everybody.
 */
export interface Question {
  id: string;
  message: string;
  fields: Field[];
  url: string;
  /** What an answer is bound to. */
  sha256: Uint8Array;
  expireMs: number;
  askedOf: string;
  reply: Reply | undefined;
}

/** A question as its event tells it. */
export function questionOf(asked: ToolCallQuestionAsked): Question {
  const { question, questionSha256: sha256, expireTime, askedOf } = asked;
  return {
    id: question?.questionId ?? "",
    message: question?.message ?? "",
    fields: fieldsOf(question?.schemaJson ?? ""),
    url: question?.url ?? "",
    sha256,
    expireMs: expireTime ? timestampMs(expireTime) : 0,
    askedOf,
    reply: undefined,
  };
}

type Schema = Record<string, unknown>;
const TYPES = ["string", "number", "integer", "boolean", "array"] as const;

/** The fields of a form; a kind that this page does not know is shown as text. */
export function fieldsOf(schemaJson: string): Field[] {
  if (!schemaJson) return [];
  const form = JSON.parse(schemaJson) as { properties?: Record<string, Schema>; required?: string[] };
  return Object.entries(form.properties ?? {}).map(([name, schema]) => {
    const type = TYPES.find((each) => each === schema["type"]) ?? "string";
    return {
      name,
      title: text(schema["title"]) || name,
      description: text(schema["description"]),
      type,
      isRequired: form.required?.includes(name) ?? false,
      choices: choicesOf(type === "array" ? (schema["items"] as Schema) : schema),
      initial: schema["default"] as Value | undefined,
      minimum: number(schema["minimum"]),
      maximum: number(schema["maximum"]),
      maxLength: number(schema["maxLength"]),
    };
  });
}

function choicesOf(schema: Schema): Choice[] {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((each) => ({ value: text(each), title: text(each) }));
  const titled = schema["oneOf"] ?? schema["anyOf"];
  if (!Array.isArray(titled)) return [];
  return (titled as Schema[]).map((each) => ({ value: text(each["const"]), title: text(each["title"] ?? each["const"]) }));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
