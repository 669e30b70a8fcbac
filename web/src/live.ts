// The live feed: one connection a page. What comes in becomes DOM events (`live:alarm`), which htmx triggers and islands listen to.
import { say } from "./words";

const TOPICS = ["twin", "alarm", "case", "indicator", "notice", "seal"];
const first = 1_000;
const longest = 30_000;

function show(state: "open" | "lost" | "waiting"): void {
  const words = { open: say("实时连接正常", "Live"), lost: say("连接中断，正在重连", "Reconnecting"), waiting: say("正在连接", "Connecting") };
  for (const mark of document.querySelectorAll<HTMLElement>(".live-state")) {
    mark.dataset.state = state;
    mark.textContent = words[state];
  }
}

export function connect(wait = first): void {
  const address = document.body.dataset.live;
  if (!address) return;
  const source = new EventSource(address);
  source.onopen = () => {
    wait = first;
    show("open");
  };
  // EventSource reconnects by itself after a broken connection, but gives up when the server answers with an error.
  source.onerror = () => {
    show("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => connect(Math.min(wait * 2, longest)), wait);
  };
  for (const topic of TOPICS) {
    source.addEventListener(topic, (event) => {
      const detail: unknown = parsed((event as MessageEvent<string>).data);
      document.body.dispatchEvent(new CustomEvent(`live:${topic}`, { detail }));
    });
  }
  // What happened while we were away is too old for the server to tell again: every part asks anew.
  source.addEventListener("missed", () => {
    for (const topic of TOPICS) document.body.dispatchEvent(new CustomEvent(`live:${topic}`));
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
