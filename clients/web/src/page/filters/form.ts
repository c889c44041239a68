// A filter from what its window asks for.

import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { type Filter, type FilterAction, type FilterFailure, FilterSchema, type FilterStage } from "../../gen/antiphon/context/v1/filter_pb";
import type { Kind } from "./words";

/** What of a person is looked for. */
export const PERSONAL = ["card", "iban", "email", "phone", "ip"];

type KindInit = NonNullable<MessageInitShape<typeof FilterSchema>["kind"]>;

/** What is not asked for stays as it was. */
export function filterOf(data: FormData, before: Filter | undefined): Filter {
  const ms = Math.round(Number(data.get("timeout")) * 1000);
  return create(FilterSchema, {
    name: before?.name ?? `${data.get("name")}`,
    action: Number(data.get("action")) as FilterAction,
    stages: data.getAll("stages").map(Number).sort() as FilterStage[],
    timeout: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
    onFailure: Number(data.get("failure")) as FilterFailure,
    disabled: before?.disabled ?? false,
    kind: kindOf(`${data.get("kind")}` as Kind, data),
  });
}

function kindOf(kind: Kind, data: FormData): KindInit {
  switch (kind) {
    case "personalData": {
      const regions = `${data.get("regions")}`.toUpperCase().split(/[\s,]+/).filter(Boolean);
      return { case: kind, value: { categories: data.getAll("categories").map(String), regions: [...new Set(regions)] } };
    }
    case "terms":
      return { case: kind, value: { terms: linesOf(data.get("terms")), parts: linesOf(data.get("parts")) } };
    case "remote":
      return { case: kind, value: { tool: `${data.get("tool")}`.trim() } };
    default:
      return { case: kind, value: {} };
  }
}

function linesOf(value: FormDataEntryValue | null): string[] {
  return [...new Set(`${value ?? ""}`.split("\n").map((line) => line.trim()).filter(Boolean))];
}
