/* Plots that move: the node's own figures every two seconds, kept for five minutes in this page and nowhere else. A series
   is a line; what only rises is told by the second, and time that was spent by how often. */
"use strict";

(() => {
  const EVERY = 2000, KEPT = 150, WIDE = 300, HIGH = 90;
  const root = document.getElementById("live");
  const SVG = "http://www.w3.org/2000/svg";
  const samples = [];
  let paused = false, asking = false;

  const sum = (one) => Object.values(one).reduce((all, value) => all + value, 0);
  const rate = (read) => (now, before) => {
    const seconds = (now.at - before.at) / 1e6, risen = read(now) - read(before);
    return seconds > 0 && risen >= 0 ? risen / seconds : null;
  };
  const mean = (name) => (now, before) => {
    const times = now.spent[name]?.times - before.spent[name]?.times, spent = now.spent[name]?.seconds - before.spent[name]?.seconds;
    return times > 0 && spent >= 0 ? spent / times * 1000 : null;
  };
  const READ = {
    pass: rate((one) => one.traffic.messages.pass ?? 0), label: rate((one) => one.traffic.messages.label ?? 0),
    mask: rate((one) => one.traffic.messages.mask ?? 0), hold: rate((one) => one.traffic.messages.hold ?? 0),
    reject: rate((one) => one.traffic.messages.reject ?? 0), degraded: rate((one) => sum(one.traffic.degraded)),
    unread: rate((one) => one.traffic.refused_requests), check: mean("check"), state: mean("state"), journal: mean("journal"),
    connections: (one) => one.connections, sockets: (one) => one.sockets,
    waiting: (one) => one.queues.cases.waiting ?? 0, claimed: (one) => one.queues.cases.claimed ?? 0,
    outbox: (one) => one.queues.outbox, lag: (one) => one.queues.journal_lag, mirror: (one) => one.mirror_lag,
    memory: (one) => sum(one.processes.map((each) => each.resident_bytes ?? 0)) / 1048576,
    processes: (one) => one.processes.filter((each) => each.state === "running").length,
  };

  const shown = (value) => value === null || value === undefined ? "–"
    : value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: value < 10 ? 2 : 0 });

  function draw(plot) {
    const picture = plot.querySelector("svg"), rows = [...plot.querySelectorAll("[data-series]")];
    const lines = rows.map((row) => samples.map((one, at) => at ? READ[row.dataset.series](one, samples[at - 1]) : null));
    const top = Math.max(1e-3, ...lines.flat().filter((value) => value !== null));
    picture.replaceChildren(...lines.map((values, place) => {
      const line = document.createElementNS(SVG, "path");
      let drawn = "", pen = "M";
      values.forEach((value, at) => {
        if (value === null) { pen = "M"; return; }
        const x = WIDE - (values.length - 1 - at) * WIDE / (KEPT - 1), y = HIGH - 2 - value / top * (HIGH - 6);
        drawn += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
        pen = "L";
      });
      line.setAttribute("d", drawn);
      line.setAttribute("class", `line line-${place}`);
      return line;
    }));
    rows.forEach((row, place) => { row.querySelector("b").textContent = shown(lines[place].at(-1)); });
    plot.querySelector("[data-top]").textContent = shown(top);
  }

  async function look() {
    if (paused || asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(root.dataset.source, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      // After a time without a look, what was counted meanwhile would be one point among others: a gap is said as one.
      if (samples.length && told.at - samples.at(-1).at > 3 * EVERY * 1000) samples.length = 0;
      samples.push(told);
      if (samples.length > KEPT) samples.shift();
      for (const plot of root.querySelectorAll("figure")) draw(plot);
      document.getElementById("live-ready").hidden = told.ready;
      document.getElementById("live-away").hidden = true;
    } catch {
      document.getElementById("live-away").hidden = false;
    } finally { asking = false; }
  }

  document.getElementById("live-pause").addEventListener("click", (event) => {
    paused = !paused;
    event.currentTarget.setAttribute("aria-pressed", String(paused));
    look();
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY);
  look();
})();
