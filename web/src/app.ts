import htmx from "htmx.org";
import { mountAll } from "./mount";
import { connect } from "./live";
import { tellTimes } from "./times";
import { wireShell } from "./shell";

// A strict content security policy: htmx neither evaluates text nor writes styles of its own.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;

document.addEventListener("htmx:configRequest", (event) => {
  const token = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  const { headers, triggeringEvent } = (event as CustomEvent).detail;
  if (token) headers["X-CSRFToken"] = token;
  // What a page asks by itself is no click: it does not keep a session alive.
  if (!triggeringEvent?.isTrusted) headers["X-By-Itself"] = "live";
});
document.addEventListener("htmx:load", (event) => mountAll((event as CustomEvent).detail.elt as HTMLElement));

mountAll(document.body);
wireShell();
tellTimes();
connect();
