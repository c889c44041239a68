// Asks a question and prints the answer as it comes: node converse.js [--cut-after N] QUESTION
//
// ANTIPHON_ADDRESS is the server; ANTIPHON_API_KEY, or ANTIPHON_NAME and ANTIPHON_PASSWORD, sign in.
// --cut-after breaks the connection after N pieces of the answer, to show that nothing comes of it.
// Ctrl-C stops the answer.
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Session } from "./session.js";
import { Talk } from "./talk.js";

async function main({ values, positionals: [question] }, variables) {
  const { ANTIPHON_ADDRESS: address = "localhost:7450" } = variables;
  const session = new Session(address, credential(variables));
  try {
    // The request id makes it safe to repeat: the same id is answered with the same conversation.
    const request = { title: "From Node.js", requestId: randomUUID() };
    const { conversation } = await session.call(session.context, "createConversation", request);
    return await answer(session, conversation.conversationId, question, Number(values["cut-after"]));
  } finally {
    session.close();
  }
}

async function answer(session, conversationId, question, cutAfter) {
  let pieces = 0;
  const talk = new Talk(session, conversationId, {
    onText: (text) => {
      process.stdout.write(text);
      pieces += 1;
      if (pieces === cutAfter) talk.cut();
    },
    onLost: (error) => console.error(`\n[${error.message}; resuming after event ${talk.place.offset ?? 0}]`),
  });
  process.once("SIGINT", () => talk.stop());
  const { state } = await talk.ask(question);
  const { first, offset } = talk.place;
  console.log();
  console.error(`${conversationId} ${talk.turnId} ${state}: events ${first}-${offset}, connections ${talk.connections}`);
  return state === "TURN_STATE_SUCCEEDED" ? 0 : 1;
}

function credential({ ANTIPHON_API_KEY: apiKey, ANTIPHON_NAME: name, ANTIPHON_PASSWORD: password }) {
  return apiKey ? { apiKey: { apiKey } } : { password: { name, password } };
}

const options = { "cut-after": { type: "string" } };
try {
  process.exitCode = await main(parseArgs({ options, allowPositionals: true }), process.env);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
