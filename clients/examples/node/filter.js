// A filter of one's own, which finds words that are not polite: node filter.js (docs/guides/own-filter.md).
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../../proto", import.meta.url));
const loaded = loadSync("antiphon/context/v1/remote_filter_service.proto", { includeDirs: [PROTO], enums: String });
const { RemoteFilterService } = grpc.loadPackageDefinition(loaded).antiphon.context.v1;

function* found(texts) {
  for (const [text, said] of texts.entries()) {
    for (const { index, 0: word } of said.matchAll(/\b(blockhead|nitwit)\b/gi)) {
      const start = [...said.slice(0, index)].length; // characters, not UTF-16
      yield { category: "rude", text, start, end: start + word.length };
    }
  }
}

const server = new grpc.Server({ "grpc.max_receive_message_length": 8 * 1024 * 1024 });
server.addService(RemoteFilterService.service, {
  Screen: ({ request }, answer) => answer(null, { findings: [...found(request.texts ?? [])] }),
});
const address = `127.0.0.1:${process.env.PORT ?? 50051}`;
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
