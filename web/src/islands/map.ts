// The district's map: boundary, divisions, things, cases. It opens on the boundary and works without tiles.
import L from "leaflet";
import "leaflet.markercluster";
import { ago, at, say } from "../words";

interface Point {
  layer: "thing" | "case";
  id: string;
  title: string;
  longitude: number;
  latitude: number;
  className: string;
  mark: string;
  what: string;
  since: string | null;
  who: string;
  link: string;
  note?: string;
}
export interface Data {
  boundary: GeoJSON.GeoJsonObject | null;
  centre: [number, number] | null;
  tiles: string;
  attribution: string;
  legend: { className: string; mark: string; title: string }[];
  points: Point[];
}

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A case stands beside the device it is about, so that the device's figure stays readable. */
function anchor(size: L.PointTuple, beside: boolean): L.PointTuple {
  return beside ? [size[0] / 2 - 34, size[1] / 2 + 18] : [size[0] / 2, size[1] / 2];
}

function icon(point: Point, beside: boolean): L.DivIcon {
  const pin = element("div", `map-pin ${point.layer} ${point.className}`, "");
  pin.append(element("span", "", point.mark));
  const size: L.PointTuple = point.layer === "case" ? [20, 20] : [Math.max(30, 14 + point.mark.length * 8), 24];
  pin.style.width = `${size[0]}px`;
  pin.style.height = `${size[1]}px`;
  return L.divIcon({ html: pin, className: "", iconSize: size, iconAnchor: anchor(size, beside) });
}

type Marked = L.Marker & { options: L.MarkerOptions & { point: Point } };

const STATES = ["nodata", "stale", "normal", "notice", "warning", "serious", "critical"];

/** How much a device asks for attention: its band or state; what has no figure comes last. */
function weight(point: Point): number {
  const band = /aqi-(\d)/.exec(point.className);
  if (band) return 10 + Number(band[1]);
  return STATES.findIndex((state) => point.className.includes(`status-${state}`));
}

/** Devices that stand close together: the worst one's figure and colour, and how many they are. */
function together(markers: Marked[], count: number): HTMLElement {
  const points = markers.map((marker) => marker.options.point);
  const worst = points.reduce((one, other) => (weight(other) > weight(one) || (weight(other) === weight(one) && Number(other.mark) > Number(one.mark)) ? other : one));
  const mark = element("div", `map-pin thing together ${worst.className}`, "");
  mark.append(element("span", "", worst.mark), element("small", "", `×${count}`));
  return mark;
}

function answer(point: Point): HTMLElement {
  const box = element("div", "", "");
  box.append(element("h3", "", point.title), element("p", "", point.what));
  if (point.since) box.append(element("p", "soft", `${say("自", "Since")} ${at(point.since)} · ${ago(point.since)}`));
  if (point.who) box.append(element("p", "soft", `${say("负责：", "In charge: ")}${point.who}`));
  if (point.note) box.append(element("span", "origin-mark", point.note), document.createElement("br"));
  const link = element("a", "", say("查看详情", "Details")) as HTMLAnchorElement;
  link.href = point.link;
  box.append(link);
  return box;
}

function legend(rows: Data["legend"], width: number): L.Control {
  const control = new L.Control({ position: "bottomleft" });
  control.onAdd = () => {
    const box = document.createElement("details");
    box.className = "map-legend";
    box.open = width > 640;
    box.append(element("summary", "", say("图例", "Legend")));
    for (const row of rows) {
      const line = element("div", "row-item", "");
      const pin = element("span", `map-pin ${row.className}`, row.mark);
      line.append(pin, element("span", "", row.title));
      box.append(line);
    }
    return box;
  };
  return control;
}

export function ground(map: L.Map, data: Data): L.LatLngBounds | null {
  if (data.tiles) L.tileLayer(data.tiles, { maxZoom: 18 }).addTo(map);
  if (!data.boundary) return null;
  const style = getComputedStyle(document.documentElement);
  const layer = L.geoJSON(data.boundary, {
    interactive: false,
    style: { color: style.getPropertyValue("--accent").trim(), weight: 2, fillColor: style.getPropertyValue("--surface").trim(), fillOpacity: data.tiles ? 0.05 : 0.9 },
  }).addTo(map);
  return layer.getBounds();
}

export async function load(address: string): Promise<Data> {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as Data;
}

export function style(address: string | undefined): Promise<void> {
  if (!address || document.querySelector(`link[href="${address}"]`)) return Promise.resolve();
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.onload = link.onerror = () => done();
    document.head.append(link);
  });
}

class DistrictMap {
  private readonly map: L.Map;
  private readonly markers = new Map<string, L.Marker>();
  private occupied = new Set<string>();
  // Devices and cases are counted apart: a pile of cases must not hide what a device measures.
  private readonly groups = { thing: this.group("thing"), case: this.group("case") };

  constructor(host: HTMLElement, data: Data) {
    host.replaceChildren();
    this.map = L.map(host, { attributionControl: false, zoomSnap: 0.25, minZoom: 8, maxZoom: 18, scrollWheelZoom: !host.classList.contains("small") });
    L.control.attribution({ prefix: false }).addAttribution(data.attribution).addTo(this.map);
    const bounds = ground(this.map, data);
    let left = 12;
    if (!host.classList.contains("small")) {
      const box = legend(data.legend, host.clientWidth).addTo(this.map).getContainer();
      if (host.clientWidth > 640 && box) left = box.offsetWidth + 24;
    }
    this.open(bounds, data, left);
    for (const group of Object.values(this.groups)) group.addTo(this.map);
    this.show(data.points);
  }

  private group(layer: Point["layer"]): L.MarkerClusterGroup {
    const size: L.PointTuple = layer === "case" ? [26, 26] : [60, 26];
    return L.markerClusterGroup({
      maxClusterRadius: layer === "case" ? 34 : 48,
      showCoverageOnHover: false,
      iconCreateFunction: (cluster) => {
        const count = cluster.getChildCount();
        const mark = layer === "case" ? element("div", "map-cluster case", String(count)) : together(cluster.getAllChildMarkers() as Marked[], count);
        mark.title = layer === "case" ? say(`${count} 件案件`, `${count} cases`) : say(`${count} 台设备，显示其中最重的`, `${count} devices, the worst shown`);
        const beside = cluster.getAllChildMarkers().some((marker) => this.beside(layer, marker.getLatLng()));
        return L.divIcon({ html: mark, className: "", iconSize: size, iconAnchor: anchor(size, beside) });
      },
    });
  }

  private beside(layer: Point["layer"], place: { lat: number; lng: number }): boolean {
    return layer === "case" && this.occupied.has(`${place.lat},${place.lng}`);
  }

  private open(bounds: L.LatLngBounds | null, data: Data, left: number): void {
    const all = L.latLngBounds(data.points.map((point) => [point.latitude, point.longitude]));
    if (bounds?.isValid()) this.map.fitBounds(bounds, { paddingTopLeft: [left, 12], paddingBottomRight: [12, 24] });
    else if (data.centre) this.map.setView([data.centre[1], data.centre[0]], 11);
    else if (all.isValid()) this.map.fitBounds(all.pad(0.2), { maxZoom: 13 });
    else this.map.setView([35, 105], 8);
  }

  show(points: Point[]): void {
    this.occupied = new Set(points.filter((point) => point.layer === "thing").map((point) => `${point.latitude},${point.longitude}`));
    const now = new Set(points.map((point) => `${point.layer}:${point.id}`));
    for (const [key, marker] of this.markers) {
      if (now.has(key)) continue;
      this.groups[key.startsWith("case:") ? "case" : "thing"].removeLayer(marker);
      this.markers.delete(key);
    }
    for (const point of points) this.put(point);
  }

  private put(point: Point): void {
    const key = `${point.layer}:${point.id}`;
    const drawn = icon(point, this.beside(point.layer, { lat: point.latitude, lng: point.longitude }));
    const known = this.markers.get(key);
    if (known) {
      (known as Marked).options.point = point;
      known.setIcon(drawn).setPopupContent(answer(point));
      return;
    }
    const options: Marked["options"] = {
      icon: drawn, point, title: `${point.title} · ${point.what}`, alt: point.title, riseOnHover: true, zIndexOffset: point.layer === "case" ? 500 : 0,
    };
    const marker = L.marker([point.latitude, point.longitude], options);
    marker.bindPopup(() => answer(point));
    this.markers.set(key, marker);
    this.groups[point.layer].addLayer(marker);
  }
}

export function mount(host: HTMLElement): void {
  const address = host.dataset.src ?? "";
  let busy = false;
  Promise.all([load(address), style(host.dataset.css)])
    .then(([data]) => {
      const map = new DistrictMap(host, data);
      const refresh = (): void => {
        if (busy) return;
        busy = true;
        setTimeout(() => {
          load(address).then((again) => map.show(again.points)).catch(() => undefined).finally(() => (busy = false));
        }, 1_500);
      };
      for (const topic of ["twin", "case", "alarm"]) document.body.addEventListener(`live:${topic}`, refresh);
    })
    .catch(() => {
      host.replaceChildren(element("p", "unloaded", say("地图数据暂时取不到。请稍后刷新页面，或查看旁边的列表。", "The map's data cannot be read now. Reload later, or use the list.")));
    });
}
