// Choose a point on the map: a click fills the form's longitude and latitude. The fields work without it.
import L from "leaflet";
import { load, ground, style, type Data } from "./map";
import { say } from "../words";

function field(form: HTMLFormElement, name: string): HTMLInputElement | HTMLSelectElement {
  return form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement;
}

function pin(): L.DivIcon {
  const made = document.createElement("div");
  made.className = "map-pin thing status-notice";
  made.textContent = "●";
  made.style.width = made.style.height = "24px";
  return L.divIcon({ html: made, className: "", iconSize: [24, 24], iconAnchor: [12, 12] });
}

const NAMED = 40; // devices, beyond which names would cover the map

/** The other devices, small and quiet, so that a map without tiles has something to go by. */
function neighbours(map: L.Map, data: Data, here: L.LatLngTuple | null): void {
  const others = data.points.filter((point) => point.layer === "thing" && !(here && point.latitude === here[0] && point.longitude === here[1]));
  const style = { radius: 4, weight: 1, color: "#6b7280", fillColor: "#6b7280", fillOpacity: 0.6, interactive: false, ...(others.length > NAMED ? { renderer: L.canvas() } : {}) };
  for (const point of others) {
    const dot = L.circleMarker([point.latitude, point.longitude], style).addTo(map);
    if (others.length <= NAMED) dot.bindTooltip(point.title, { permanent: true, direction: "right", className: "map-label", offset: [6, 0] });
  }
}

export function mount(host: HTMLElement): void {
  const form = host.closest("form");
  if (!form) return;
  Promise.all([load(host.dataset.src ?? ""), style(host.dataset.css)])
    .then(([data]) => {
      host.replaceChildren();
      const map = L.map(host, { attributionControl: false, zoomSnap: 0.25, minZoom: 8, maxZoom: 18, scrollWheelZoom: false });
      L.control.attribution({ prefix: false }).addAttribution(data.attribution).addTo(map);
      const bounds = ground(map, data);
      const now: L.LatLngTuple | null = host.dataset.longitude && host.dataset.latitude ? [Number(host.dataset.latitude), Number(host.dataset.longitude)] : null;
      if (now) map.setView(now, data.tiles ? 13 : 11);
      else if (bounds?.isValid()) map.fitBounds(bounds);
      else map.setView(data.centre ? [data.centre[1], data.centre[0]] : [35, 105], data.centre ? 11 : 8);
      L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
      neighbours(map, data, now);
      if (now) L.circleMarker(now, { radius: 7, weight: 2 }).bindTooltip(say("现在的位置", "Where it stands now"), { permanent: true, direction: "top", className: "map-label" }).addTo(map);
      const marker = L.marker(now ?? map.getCenter(), { icon: pin(), draggable: true, keyboard: true, title: say("新位置", "New position") });
      const take = (point: L.LatLng): void => {
        marker.setLatLng(point).addTo(map);
        field(form, "longitude").value = point.lng.toFixed(6);
        field(form, "latitude").value = point.lat.toFixed(6);
        field(form, "system").value = "cgcs2000"; // the map is drawn in what the platform keeps
      };
      map.on("click", (event: L.LeafletMouseEvent) => take(event.latlng));
      marker.on("dragend", () => take(marker.getLatLng()));
      host.closest("details")?.addEventListener("toggle", () => map.invalidateSize());
    })
    .catch(() => host.remove()); // the fields are there
}
