// Shows the static version of a room's bullets on the page that this script stands on:
//   <script src="/mirror/embed.js" data-room="ROOM" async></script>
//   <noscript><iframe src="/mirror/ROOM/" title="静态版信息内容"></iframe></noscript>
// data-into: id of the element to fill (else it stands behind the script); data-refresh: seconds, 60 if unset, at least 2, 0 never.
(() => {
  "use strict";
  const script = document.currentScript;
  const { room, into, refresh = "60" } = script.dataset;
  if (!room) return;
  const source = new URL(`${encodeURIComponent(room)}/fragment`, script.src);
  const place = (into && document.getElementById(into)) || document.createElement("div");
  if (!place.isConnected) script.after(place);
  let shown = "";
  async function show() {
    const answer = await fetch(source, { credentials: "same-origin", cache: "no-cache" });
    if (!answer.ok) throw new Error(`the static version was answered with ${answer.status}`);
    const text = await answer.text();  // escaped by the gateway, no script in it
    if (text !== shown) place.innerHTML = shown = text;
  }
  const tell = error => console.warn("tidegate:", error.message);
  show().catch(tell);
  const seconds = Number(refresh);
  if (seconds > 0) setInterval(() => document.hidden || show().catch(tell), Math.max(seconds, 2) * 1000);
})();
