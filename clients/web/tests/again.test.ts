// What is sent again by itself, and what is left to people.

import { anyPack } from "@bufbuild/protobuf/wkt";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, encodeBinaryHeader } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { openStubs } from "../src/antiphon/channel";
import { errorOf } from "../src/antiphon/errors";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb";
import { StatusSchema } from "../src/gen/google/rpc/status_pb";

/** How often a call is made that is refused so, and why it fails in the end. */
async function made(reason: string): Promise<[number, string]> {
  const info = create(ErrorInfoSchema, { domain: "antiphon", reason });
  const status = create(StatusSchema, { code: Code.Unavailable, details: [anyPack(ErrorInfoSchema, info)] });
  const headers = {
    "content-type": "application/grpc-web+proto",
    "grpc-status": `${Code.Unavailable}`,
    "grpc-status-details-bin": encodeBinaryHeader(toBinary(StatusSchema, status)),
  };
  let calls = 0;
  const fetch = async () => {
    calls += 1;
    return new Response(null, { headers });
  };
  const { context } = openStubs({ baseUrl: "https://chat.example", fetch });
  const why = await context.postMessage({}).catch((thrown: unknown) => errorOf(thrown).reason);
  return [calls, `${why}`];
}

test("a call is made again while a server is away, and not while a filter is", async () => {
  expect(await made("SERVICE_UNAVAILABLE")).toEqual([4, "SERVICE_UNAVAILABLE"]);
  expect(await made("FILTER_UNAVAILABLE")).toEqual([1, "FILTER_UNAVAILABLE"]);
});
