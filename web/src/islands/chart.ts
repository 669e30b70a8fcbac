// A chart of series. The answer says unit, limits and which points were replayed or flagged; the table below it says the same in words.
import { BarChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { at, say } from "../words";

echarts.use([BarChart, LineChart, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent, TooltipComponent, CanvasRenderer]);

interface Series {
  title: string;
  unit: string;
  digits?: number;
  type?: "line" | "bar";
  points: [number, number | null][];
}
interface Data {
  series: Series[];
  limits?: { title: string; value: number }[];
  spans?: { title: string; from: number; to: number }[];
  changes?: { title: string; at: number }[];
  empty?: string;
}

function colours(): { ink: string; line: string; list: string[]; serious: string; surface: string } {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return { ink: of("--ink-soft"), line: of("--line"), surface: of("--surface"), serious: of("--serious-fill") || "#ef7d1a", list: [of("--accent"), of("--notice"), of("--normal"), of("--serious"), "#7b61c4", of("--stale"), "#0f8b8d"] };
}

function lines(data: Data, serious: string): object[] {
  return [
    ...(data.limits ?? []).map((limit) => ({
      yAxis: limit.value, name: limit.title, lineStyle: { color: serious, type: "dashed", width: 1.5 }, label: { formatter: `${limit.title} ${limit.value}`, position: "insideEndTop", color: serious },
    })),
    ...(data.changes ?? []).map((change) => ({
      xAxis: change.at, name: change.title, lineStyle: { type: "dotted", width: 1.5 }, label: { formatter: change.title, position: "insideEndTop" },
    })),
  ];
}

function option(data: Data): echarts.EChartsCoreOption {
  const { ink, line, list, serious } = colours();
  const many = data.series.length > 1;
  const points = data.series.reduce((sum, series) => sum + series.points.length, 0);
  return {
    color: list,
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: many ? 40 : 28, bottom: points > 400 ? 44 : 8, containLabel: true },
    legend: many ? { top: 0, textStyle: { color: ink }, type: "scroll" } : undefined,
    dataZoom: points > 400 ? [{ type: "inside" }, { type: "slider", height: 18, bottom: 8, labelFormatter: (value: number) => at(value) }] : undefined,
    tooltip: { trigger: "axis", confine: true, renderMode: "richText", axisPointer: { type: "line" } },
    xAxis: { type: "time", axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink, hideOverlap: true } },
    yAxis: { type: "value", name: data.series[0]?.unit ?? "", nameTextStyle: { color: ink, align: "left" }, axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } }, max: top(data), scale: true },
    series: data.series.map((series, index) => ({
      type: series.type ?? "line", name: series.title, data: series.points, showSymbol: series.points.length < 60, symbolSize: 5, connectNulls: false, sampling: "lttb",
      lineStyle: { width: 2 }, barMaxWidth: 28,
      tooltip: { valueFormatter: (value: unknown) => (typeof value === "number" ? `${value.toFixed(series.digits ?? 1)} ${series.unit}` : "—") },
      markLine: index === 0 ? { symbol: "none", silent: true, data: lines(data, serious) } : undefined,
      markArea: index === 0 && data.spans?.length
        ? { silent: true, itemStyle: { color: serious, opacity: 0.12 }, label: { color: ink }, data: data.spans.map((span) => [{ name: span.title, xAxis: span.from }, { xAxis: span.to }]) }
        : undefined,
    })),
  };
}

// A limit that no value reaches must still be seen.
function top(data: Data): number | undefined {
  const values = data.series.flatMap((series) => series.points.map(([, value]) => value ?? 0));
  const limit = Math.max(...(data.limits ?? []).map((each) => each.value), -Infinity);
  return limit > Math.max(...values, 0) ? Math.ceil(limit * 1.1) : undefined;
}

function message(host: HTMLElement, text: string): void {
  const box = document.createElement("p");
  box.className = "unloaded";
  box.textContent = text;
  host.replaceChildren(box);
}

async function draw(host: HTMLElement): Promise<void> {
  const response = await fetch(host.dataset.src ?? "", { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  const data = (await response.json()) as Data;
  if (!data.series.some((series) => series.points.some(([, value]) => value !== null))) {
    message(host, data.empty ?? say("这段时间没有数据。请换一个时间段，或查看设备是否在线。", "No data in this period. Choose another one, or see whether the device is online."));
    return;
  }
  const known = echarts.getInstanceByDom(host);
  if (!known) host.replaceChildren();
  (known ?? echarts.init(host)).setOption(option(data), true);
}

export function mount(host: HTMLElement): void {
  const again = (): void => {
    draw(host).catch(() => message(host, say("图表数据暂时取不到，请稍后刷新页面。", "The chart's data cannot be read now. Reload the page later.")));
  };
  again();
  new ResizeObserver(() => echarts.getInstanceByDom(host)?.resize()).observe(host);
  document.body.addEventListener("theme", again);
  host.addEventListener("range", again);
  if (host.dataset.liveTopic) {
    let waiting = false;
    document.body.addEventListener(`live:${host.dataset.liveTopic}`, () => {
      if (waiting) return;
      waiting = true;
      setTimeout(() => ((waiting = false), again()), 5_000);
    });
  }
}
