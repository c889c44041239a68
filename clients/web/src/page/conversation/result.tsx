// What came of a call. It is text, or a picture of four kinds; all else is saved, and never shown.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { type ResultPart, type ToolCall, keptPartOf } from "../../antiphon";
import { Notice, Spinner } from "../parts";
import { pretty, visible } from "../visible";
import { inWords, sentenceOf } from "../words";

/** Reads a part of a call's result; throws AntiphonError. */
export type ReadPart = (call: ToolCall, part: number, most: number) => Promise<ResultPart>;

const MOST_TEXT = 2 * 1024 * 1024;
const MOST_DATA = 64 * 1024 * 1024;
const MOST_PICTURE = 16 * 1024 * 1024;

/** The parts that the log has, and the way to what it has not. */
export function Result({ call, read }: { call: ToolCall; read: ReadPart }): JSX.Element | null {
  const parts = call.end?.parts ?? [];
  const omitted = call.end?.omittedBytes ?? 0;
  const [whole, setWhole] = useState("");
  const isCut = omitted > 0 && !whole;
  if (!parts.length && !omitted) return null;
  const told = whole ? parts.filter(({ content }) => content.case !== "text") : parts;
  return (
    <>
      <h3>Result</h3>
      {whole && <Text text={whole} />}
      {told.map((part, index) => {
        const { content } = part;
        const kept = content.case && content.case !== "text" ? keptPartOf(content.value.uri) : undefined;
        if (kept === undefined) return <Text key={index} text={inWords(part)} />;
        return <Data key={index} call={call} part={kept} isPicture={content.case === "image"} read={read} />;
      })}
      {isCut && call.end?.isKept && <ShowAll call={call} omitted={omitted} read={read} onRead={setWhole} />}
      {isCut && !call.end?.isKept && <p class="call-told">{omitted.toLocaleString()} more bytes were not kept.</p>}
    </>
  );
}

function Text({ text }: { text: string }): JSX.Element {
  const shown = useMemo(() => visible(pretty(text)), [text]);
  return (
    <pre tabIndex={0} dir="auto">
      {shown}
    </pre>
  );
}

function ShowAll(props: {
  call: ToolCall;
  omitted: number;
  read: ReadPart;
  onRead: (text: string) => void;
}): JSX.Element {
  const [isReading, setReading] = useState(false);
  const [error, setError] = useState("");
  const show = async () => {
    setReading(true);
    setError("");
    try {
      props.onRead(await textOfAll(props.call, props.read));
    } catch (thrown) {
      setError(sentenceOf(thrown));
      setReading(false);
    }
  };
  return (
    <p class="call-more">
      {error && <Notice text={error} />}
      <button type="button" class="link" disabled={isReading} onClick={show}>
        Show all
      </button>{" "}
      <span class="quiet">{props.omitted.toLocaleString()} more bytes</span>
    </p>
  );
}

/** All texts of a result, as far as a page can bear them. */
async function textOfAll(call: ToolCall, read: ReadPart): Promise<string> {
  const texts: string[] = [];
  let room = MOST_TEXT;
  for (let part = 0, parts = 1; part < parts; part++) {
    const found = await read(call, part, Math.max(room, 1));
    parts = found.parts;
    if (!found.isText) continue;
    const data = found.data.subarray(0, Math.max(room, 0));
    room -= data.length;
    texts.push(new TextDecoder().decode(data));
    if (data.length < found.size) {
      texts.push(`(… ${(found.size - data.length).toLocaleString()} more bytes: antiphon tools result)`);
      break;
    }
  }
  return texts.join("\n");
}

/** Data: a picture is shown if it is one by its own bytes, and anything may be saved. */
function Data(props: { call: ToolCall; part: number; isPicture: boolean; read: ReadPart }): JSX.Element {
  const { call, part, read } = props;
  const [found, setFound] = useState<ResultPart>();
  const [error, setError] = useState("");
  const load = async (most: number) => {
    setError("");
    try {
      const data = await read(call, part, most);
      setFound(data);
      return data;
    } catch (thrown) {
      setError(sentenceOf(thrown));
      return undefined;
    }
  };
  useEffect(() => {
    if (props.isPicture) void load(MOST_PICTURE);
  }, [call.id, part]);
  const save = async () => {
    const isWhole = found && found.data.length === found.size;
    const data = isWhole ? found : await load(MOST_DATA);
    if (data) download(data.data, `${call.tool}-${part}${EXTENSIONS[pictureOf(data.data)] ?? ".bin"}`);
  };
  return (
    <div class="call-data">
      {error && <Notice text={error} />}
      {props.isPicture && !found && !error && <Spinner label="Loading" />}
      {found && found.data.length === found.size && <Picture data={found.data} label={`Result of ${visible(call.tool)}`} />}
      <button type="button" class="link" onClick={save}>
        Save
      </button>{" "}
      <span class="quiet">{found ? `${visible(found.mediaType)}, ${found.size.toLocaleString()} bytes` : "a file"}</span>
    </div>
  );
}

const EXTENSIONS: Record<string, string> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
};

function Picture({ data, label }: { data: Uint8Array<ArrayBuffer>; label: string }): JSX.Element | null {
  const type = useMemo(() => pictureOf(data), [data]);
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!type) return undefined;
    const made = URL.createObjectURL(new Blob([data], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data, type]);
  return url ? <img src={url} alt={label} /> : null;
}

/** What picture these bytes are, whatever was said of them; "" if none that is shown. */
export function pictureOf(data: Uint8Array): string {
  const begins = (at: number, text: string) => [...text].every((char, index) => data[at + index] === char.charCodeAt(0));
  if (begins(0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (begins(0, "\xff\xd8\xff")) return "image/jpeg";
  if (begins(0, "GIF8")) return "image/gif";
  if (begins(0, "RIFF") && begins(8, "WEBP")) return "image/webp";
  return "";
}

function download(data: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
