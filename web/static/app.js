// What the pages do better with a script. Everything also works without,
// except the palette, the theme and dropping files.
"use strict";
const root = document.documentElement;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const typing = (el) => el.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");

// Theme: as the system, light, dark, and round again.
function turnTheme() {
  const order = ["system", "light", "dark"];
  const next = order[(order.indexOf(root.dataset.theme) + 1) % 3];
  root.dataset.theme = next;
  localStorage.setItem("theme", next);
  nameTheme();
}
function nameTheme() {
  const button = $("[data-theme-toggle]");
  if (button) button.setAttribute("aria-label", `Colour theme: ${root.dataset.theme}`);
}

function toast(text, bad) {
  const box = $("#toasts");
  if (!box) return;
  const el = document.createElement("div");
  el.className = bad ? "flash bad" : "flash";
  const words = document.createElement("span");
  words.textContent = text;
  el.append(words);
  box.append(el);
  setTimeout(() => el.remove(), 8000);
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  $$("dialog[open]").forEach((d) => d.close());
  dialog.showModal();
  if (id === "palette") $("#palette-q").select();
}

// Rows: j and k walk, Enter opens, x selects.
const rows = () => $$("tr[data-row]");
function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((r) => r.classList.contains("at"));
  const to = all[Math.max(0, Math.min(all.length - 1, at + step))];
  if (at >= 0) all[at].classList.remove("at");
  to.classList.add("at");
  ($("a.title", to) || $("a, button", to))?.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}
function pick() {
  const box = $("tr.at .pick input");
  if (box) { box.checked = !box.checked; countPicked(); }
}
function countPicked() {
  const form = $("#bulk");
  if (!form) return;
  const boxes = $$("tbody .pick input", form);
  const n = boxes.filter((b) => b.checked).length;
  const all = $("[data-pick-all]", form);
  const words = $("[data-picked]", form);
  if (words) words.textContent = `${n} selected`;
  if (!all) return;
  all.checked = n > 0 && n === boxes.length;
  all.indeterminate = n > 0 && n < boxes.length;
  if (!all.checked) $$("[name=all]", form).forEach((b) => (b.checked = false));
  const assets = new Set(boxes.filter((b) => b.checked).map((b) => b.dataset.asset)).size;
  const concerned = $("[name=all]:checked", form) ? "all assets" : assets === 1 ? "1 asset" : `${assets} assets`;
  $$("[data-picked-assets]", form).forEach((el) => (el.textContent = concerned));
}

// Decisions: a and e open what they are the keys of, Enter in a field decides.
function act(key) {
  const menu = $(`[data-act="${key}"]`);
  if (!menu || !menu.checkVisibility()) return false;
  menu.open = true;
  $("input:not([type=hidden]), textarea", menu)?.focus();
  return true;
}

// Palette and filter: the arrows move through what the server suggests.
function choose(step, input, list) {
  const all = $$("[role=option]", list);
  if (!all.length) return;
  const at = all.findIndex((o) => o.getAttribute("aria-selected") === "true");
  const to = all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length];
  all.forEach((o) => { o.setAttribute("aria-selected", o === to); o.removeAttribute("id"); });
  to.id = `${list.id}-chosen`;
  input.setAttribute("aria-activedescendant", to.id);
  to.scrollIntoView({ block: "nearest" });
}

// Filter: the server says what may be written at the cursor. A list is worth
// something only as long as the filter is the one that it was made for.
function suggest(show) {
  const input = $("#filter");
  const list = $("#filter-list");
  if (!input || !list) return;
  list.hidden = !(show && document.activeElement === input && input.value === list.dataset.for && $("[role=option]", list));
  input.setAttribute("aria-expanded", !list.hidden);
  input.removeAttribute("aria-activedescendant");
}
function write(option) {
  const input = $("#filter");
  const list = $("#filter-list");
  if (input.value !== list.dataset.for) return;
  input.setRangeText(option.dataset.text, +list.dataset.from, +list.dataset.to, "end");
  suggest(false);
  // After a field come its values.
  if (!option.dataset.text.endsWith(" ")) input.dispatchEvent(new Event("input", { bubbles: true }));
}
function typedInFilter(e) {
  const list = $("#filter-list");
  const chosen = $("[aria-selected=true]", list);
  if (list.hidden) {
    if (e.key === "ArrowDown") { e.preventDefault(); $("#filter-at").value = e.target.selectionStart; window.htmx?.trigger(e.target, "suggest"); }
    return;
  }
  switch (e.key) {
    case "ArrowDown": case "ArrowUp": e.preventDefault(); choose(e.key === "ArrowDown" ? 1 : -1, e.target, list); break;
    case "Enter": case "Tab": if (chosen) { e.preventDefault(); write(chosen); } else suggest(false); break;
    case "Escape": e.preventDefault(); suggest(false);
  }
}
document.addEventListener("input", (e) => { if (e.target.id === "filter") { $("#filter-at").value = e.target.selectionStart; suggest(false); } });
document.addEventListener("focusout", (e) => { if (e.target.id === "filter") suggest(false); });
// After Enter the keys walk through the results.
document.addEventListener("submit", () => { if (document.activeElement?.id === "filter") document.activeElement.blur(); });
document.addEventListener("mousedown", (e) => {
  const option = e.target.closest("#filter-list [role=option]");
  if (option) { e.preventDefault(); write(option); } // the focus stays in the filter
});

let leader = -Infinity; // when g was pressed
document.addEventListener("keydown", (e) => {
  if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === "k") { e.preventDefault(); return openDialog("palette"); }
  if (e.target.id === "palette-q") {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); choose(e.key === "ArrowDown" ? 1 : -1, e.target, $("#palette-list")); }
    const chosen = $("#palette-list [aria-selected=true]");
    if (e.key === "Enter" && chosen) { e.preventDefault(); chosen.click(); }
    return;
  }
  // Enter would press the first button of the form, and that decides otherwise.
  if (e.key === "Enter" && e.target.matches("#bulk .menu-body input")) { e.preventDefault(); return $("button", e.target.closest(".menu-body")).click(); }
  if (e.key === "Escape" && e.target.closest("[data-act]")) { e.target.closest("[data-act]").open = false; return e.target.blur(); }
  if (e.target.id === "filter" && !e.isComposing) return typedInFilter(e);
  if (e.metaKey || e.ctrlKey || e.altKey || $("dialog[open]") || typing(e.target)) return;
  if (e.timeStamp - leader < 1200) {
    leader = -Infinity;
    const link = $(`.stage[data-key="${CSS.escape(e.key)}"]`);
    if (link) { e.preventDefault(); link.click(); }
    return;
  }
  switch (e.key) {
    case "g": leader = e.timeStamp; break;
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "x": pick(); break;
    case "a": case "e": if (act(e.key)) e.preventDefault(); break;
    case "u": $("#flash form button")?.click(); break;
    case "/": if ($("#filter")) { e.preventDefault(); $("#filter").select(); } break;
    case "?": openDialog("keys"); break;
    case "Escape":
      $$("details.menu[open]").forEach((d) => (d.open = false));
      if ($("#bulk")) { $("#bulk").reset(); countPicked(); }
  }
});

document.addEventListener("click", (e) => {
  const hit = (selector) => e.target.closest(selector);
  $$("details.menu[open]").forEach((d) => d.contains(e.target) || (d.open = false));
  if (hit("[data-open]")) openDialog(hit("[data-open]").dataset.open);
  else if (hit("[data-theme-toggle]")) turnTheme();
  else if (hit("[data-here]")) leadHere();
  else if (hit("[data-dismiss]")) hit(".flash").remove();
  else if (hit("[data-print]")) print();
  else if (hit("[data-copy]")) navigator.clipboard.writeText(document.getElementById(hit("[data-copy]").dataset.copy).textContent).then(() => toast("Copied"), () => toast("Copy it by hand: the browser does not allow it here", true));
  else if (e.target.matches("dialog")) e.target.close();
  const asks = hit("[data-confirm]");
  if (asks && !confirm(asks.dataset.confirm)) e.preventDefault();
});
document.addEventListener("change", (e) => {
  if (e.target.matches("[data-pick-all]")) $$("#bulk tbody .pick input").forEach((b) => (b.checked = e.target.checked));
  if (e.target.closest("#bulk")) countPicked();
});
document.addEventListener("reset", () => setTimeout(countPicked));
document.addEventListener("htmx:after:settle", () => {
  countPicked();
  const list = $("#filter-list");
  if (list && !("shown" in list.dataset)) { list.dataset.shown = ""; suggest(true); } // not one that was closed meanwhile
});
document.addEventListener("htmx:response:error", (e) => {
  const status = e.detail?.ctx?.response?.status;
  toast(status === 401 ? "You were signed out: reload the page and sign in" : `The server did not do that (${status}): try again`, true);
});
document.addEventListener("htmx:error", () => toast("The server cannot be reached", true));

// The scope switcher leads back to this page as it is now: lists change the
// address without a new page.
function leadHere() {
  const same = (link) => new URL(link, location.href).pathname === location.pathname;
  const next = $(".scope-switch input[name=next]");
  if (next && same(next.value)) next.value = location.pathname + location.search;
  for (const a of $$("[data-here]")) {
    if (!same(a.href)) continue;
    const q = new URLSearchParams(location.search);
    q.set("scope", new URL(a.href).searchParams.get("scope"));
    a.href = `${location.pathname}?${q}`;
  }
}
document.addEventListener("toggle", (e) => { if (e.target.id === "scope-switch") leadHere(); }, true);

// Upload: one request a file, so that each has its progress and its result.
function upload(form, files) {
  const queue = [...files];
  const next = () => {
    const file = queue.shift();
    if (!file) return;
    const li = document.createElement("li");
    const name = document.createElement("span");
    const state = document.createElement("span");
    const bar = document.createElement("progress");
    name.textContent = file.name;
    state.className = "muted small num";
    bar.max = 100;
    bar.setAttribute("aria-label", file.name);
    li.dataset.upload = file.name;
    li.append(name, state, bar);
    $("#uploads").append(li);
    const data = new FormData();
    data.append("asset", form.elements.asset?.value ?? "");
    data.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = (p) => {
      if (!p.lengthComputable) return;
      bar.value = (100 * p.loaded) / p.total;
      state.textContent = p.loaded < p.total ? `${Math.floor(bar.value)}%` : "reading…";
      if (p.loaded === p.total) bar.removeAttribute("value");
    };
    request.onloadend = () => {
      bar.remove();
      if (request.status >= 200 && request.status < 300) {
        state.textContent = "done";
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        const result = page.querySelector("#import-results > *") ?? page.body.firstElementChild;
        if (result) $("#import-results").append(document.importNode(result, true));
      } else {
        state.className = "late small";
        state.textContent = request.status ? `not imported (${request.status})` : "the connection was lost: try again";
        const why = new DOMParser().parseFromString(request.responseText, "text/html").querySelector(".problem span, .error .muted");
        if (why) toast(`${file.name}: ${why.textContent}`, true);
      }
      next();
    };
    request.send(data);
  };
  next();
}
const uploadForm = $("[data-upload]");
if (uploadForm) {
  const drop = $("[data-drop]", uploadForm);
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); upload(uploadForm, e.dataTransfer.files); });
  uploadForm.addEventListener("submit", (e) => { e.preventDefault(); upload(uploadForm, uploadForm.elements.file.files); uploadForm.elements.file.value = ""; });
}

// Live updates, with pauses that grow while the server is away.
function listen(pause) {
  const url = document.body.dataset.events;
  if (!url || !window.EventSource) return;
  const stream = new EventSource(url);
  const live = $("#live");
  const online = (on) => { live?.parentElement.classList.toggle("offline", !on); if (live) live.textContent = on ? "Up to date" : "Not connected"; };
  stream.onopen = () => { pause = 1000; online(true); };
  stream.onerror = () => { stream.close(); online(false); setTimeout(() => listen(Math.min(pause * 2, 60000)), pause); };
  const refresh = (kind) => $$(`[data-refresh~="${kind}"]`).forEach((el) => window.htmx?.trigger(el, "refresh"));
  const waiting = {}; // by kind: one that follows another closely does not replace it
  for (const kind of ["import", "imported", "feeds", "job", "grouped", "measured", "alerts", "engagements", "scan_job"]) {
    stream.addEventListener(kind, (e) => {
      if (kind === "import") {
        const p = JSON.parse(e.data);
        if (live) live.textContent = `Reading ${p.Name}: ${p.Observations.toLocaleString("en")}`;
        const state = $$("#uploads li").findLast((li) => li.dataset.upload === p.Name)?.children[1];
        if (state) state.textContent = `${p.Observations.toLocaleString("en")} read, ${p.New.toLocaleString("en")} new`;
      } else online(true);
      clearTimeout(waiting[kind]);
      waiting[kind] = setTimeout(() => refresh(kind), 400);
    });
  }
}

nameTheme();
countPicked();
listen(1000);
