// The live feed: one connection a page. What comes in becomes DOM events, which htmx triggers and islands listen to: `live:alarm` for each message;
// `soon:alarm` at once for the first, and for those that follow closely one more when a while has passed, so that a page shows the last one too.
import { say } from "./words";

const TOPICS = ["twin", "alarm", "case", "indicator", "gather", "notice", "seal"];
const first = 1_000;
const longest = 30_000;
const pause = 400;
const calm = 2_000;
const storm = 30;

/** Tells a topic at once, and what follows closely once more when a while has passed; the while grows when that has gone on for long: a storm of alarms does
 * not become one of requests. */
function paced(topic: string): () => void {
  let waiting = false;
  let again = false;
  let inARow = 0;
  function tell(): void {
    document.body.dispatchEvent(new CustomEvent(`soon:${topic}`));
    waiting = true;
    again = false;
    setTimeout(() => {
      waiting = false;
      inARow = again ? inARow + 1 : 0;
      if (again) tell();
    }, inARow < storm ? pause : calm);
  }
  return () => {
    if (waiting) again = true;
    else tell();
  };
}

const soon = new Map(TOPICS.map((topic) => [topic, paced(topic)]));

function show(state: "open" | "lost" | "waiting"): void {
  const words = { open: say("实时连接正常", "Live"), lost: say("连接中断，正在重连", "Reconnecting"), waiting: say("正在连接", "Connecting") };
  for (const mark of document.querySelectorAll<HTMLElement>(".live-state")) {
    mark.dataset.state = state;
    mark.textContent = words[state];
  }
}

function everythingAgain(): void {
  for (const topic of TOPICS) {
    document.body.dispatchEvent(new CustomEvent(`live:${topic}`));
    soon.get(topic)?.();
  }
}

export function connect(wait = first, lost = false): void {
  const address = document.body.dataset.live;
  if (!address) return;
  const source = new EventSource(address);
  source.onopen = () => {
    wait = first;
    show("open");
    // Where no event came before the loss, or the connection is a new one, no id says what was missed: every part asks anew.
    if (lost) everythingAgain();
    lost = false;
  };
  // EventSource reconnects by itself after a broken connection, but gives up when the server answers with an error.
  source.onerror = () => {
    show("lost");
    lost = true;
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => connect(Math.min(wait * 2, longest), true), wait);
  };
  for (const topic of TOPICS) {
    source.addEventListener(topic, (event) => {
      const detail: unknown = parsed((event as MessageEvent<string>).data);
      document.body.dispatchEvent(new CustomEvent(`live:${topic}`, { detail }));
      soon.get(topic)?.();
    });
  }
  // What happened while we were away is too old for the server to tell again: every part asks anew.
  source.addEventListener("missed", everythingAgain);
  addEventListener("pagehide", () => source.close(), { once: true });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
