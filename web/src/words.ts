const english = document.documentElement.lang.startsWith("en");

/** The sentence in the reader's language. Islands say little; what they say stands beside its use. */
export function say(zh: string, en: string): string {
  return english ? en : zh;
}

// Sweden writes dates as ISO 8601 does, and so do the pages: 2026-05-01 12:00.
const exact = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai",
});

export function at(time: string | number): string {
  return exact.format(new Date(time));
}

/** "3 minutes ago" for the recent, the date for the rest. */
export function ago(time: string | number): string {
  const seconds = (Date.now() - new Date(time).getTime()) / 1000;
  if (seconds < 0) return at(time);
  if (seconds < 60) return say("刚刚", "just now");
  if (seconds < 3600) return say(`${Math.floor(seconds / 60)} 分钟前`, `${Math.floor(seconds / 60)} min ago`);
  if (seconds < 86_400) return say(`${Math.floor(seconds / 3600)} 小时前`, `${Math.floor(seconds / 3600)} h ago`);
  return short(time);
}

function short(time: string | number): string {
  const text = at(time);
  return text.startsWith(at(Date.now()).slice(0, 5)) ? text.slice(5) : text;
}
