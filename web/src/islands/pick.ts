// Choose a point on the map: a click fills the form's longitude and latitude. The fields work without it.
import L from "leaflet";
import { load, ground, style } from "./map";
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
      if (now) map.setView(now, 13);
      else if (bounds?.isValid()) map.fitBounds(bounds);
      else map.setView(data.centre ? [data.centre[1], data.centre[0]] : [35, 105], data.centre ? 11 : 8);
      if (now) L.circleMarker(now, { radius: 7, weight: 2 }).bindTooltip(say("现在的位置", "Where it stands now")).addTo(map);
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
