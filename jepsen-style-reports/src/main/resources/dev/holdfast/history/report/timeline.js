"use strict";
// The timeline of ownership. Reads the columns that TimelineData wrote, sorts leases into lanes, and draws on a canvas only
// what is in view: below a pixel each, leases become shades that say what part of the time the lock was held, so that a
// frame costs as much for a million operations as for a thousand.
(async () => {
const element = id => document.getElementById(id);
const figure = element("timeline-figure"), stage = element("stage"), canvas = element("canvas"), tall = element("tall");
const about = JSON.parse(element("timeline-about").textContent);

// --- Reading

const text = element("timeline-columns").textContent.trim();
const raw = atob(text), packed = new Uint8Array(raw.length);
for (let i = 0; i < raw.length; i++) packed[i] = raw.charCodeAt(i);
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
let at = 0;
function number() { // sums, not shifts: 32 bits are too few
  let value = 0, factor = 1, byte;
  do { byte = bytes[at++]; value += (byte & 127) * factor; factor *= 128; } while (byte > 127);
  return value;
}
const unzigzag = value => value % 2 === 0 ? value / 2 : -(value + 1) / 2;
const column = (Type, length, read) => { const a = new Type(length); for (let i = 0; i < length; i++) a[i] = read(i, a); return a; };
const running = (Type, length, from, read) => { let sum = from; return column(Type, length, i => sum += read(i)); };

const n = about.calls, m = about.tenures, OPEN = 0, OK = 1, FAIL = 2;
const invoked = running(Float64Array, n, about.start, number);
const completed = column(Float64Array, n, i => { const d = number(); return d === 0 ? Infinity : invoked[i] + d - 1; });
const client = column(Uint32Array, n, number), lock = column(Uint32Array, n, number), kind = column(Uint16Array, n, number);
const type = column(Uint8Array, n, number);
/** One half of each fence: how it differs from the one before it on the same lock. */
function fences() {
  const last = new Float64Array(about.locks.length);
  return column(Uint32Array, n, i => type[i] & 4 ? last[lock[i]] += unzigzag(number()) : 0);
}
const fenceHigh = fences(), fenceLow = fences();
const outcome = i => type[i] & 3;
/** The whole token: what is written on a bar is cut, as Html.shortFence does. */
const fence = i => type[i] & 4 ? String(BigInt(fenceHigh[i]) << 32n | BigInt(fenceLow[i])) : "";
const short = digits => digits.length > 6 ? "…" + digits.slice(-5) : digits;
const askedAt = running(Float64Array, n, 0, () => unzigzag(number()));
const answeredAt = column(Float64Array, n, i => { const d = number(); return d === 0 ? -1 : askedAt[i] + d; });

const grant = running(Uint32Array, m, 0, () => unzigzag(number()));
const granted = column(Float64Array, m, i => completed[grant[i]]);
const spanCount = column(Uint32Array, m, number);
const offsets = counts => { const a = new Uint32Array(counts.length + 1); counts.forEach((c, i) => a[i + 1] = a[i] + c); return a; };
const spanStart = offsets(spanCount), spanFrom = new Float64Array(spanStart[m]), spanTo = new Float64Array(spanStart[m]);
for (let i = 0; i < m; i++)
  for (let s = spanStart[i], t = granted[i]; s < spanStart[i + 1]; s++) { spanFrom[s] = t += number(); spanTo[s] = t += number(); }
const validUntil = column(Float64Array, m, i => granted[i] + unzigzag(number()));
const later = i => { const d = number(); return d === 0 ? NaN : granted[i] + unzigzag(d - 1); };
const released = column(Float64Array, m, later), lost = column(Float64Array, m, later);
const takenOver = column(Uint8Array, m, number);
const renewalStart = offsets(column(Uint32Array, m, number)), renewals = new Uint32Array(renewalStart[m]);
for (let i = 0; i < m; i++)
  for (let r = renewalStart[i], c = grant[i]; r < renewalStart[i + 1]; r++) renewals[r] = c += unzigzag(number());
if (at !== bytes.length) throw new Error("the columns are longer than what they tell");
const heldUntil = column(Float64Array, m, i => spanCount[i] ? spanTo[spanStart[i + 1] - 1] : granted[i]);
/** Until when a lease matters: that it was lost may be told long after. */
const tail = t => isNaN(lost[t]) ? heldUntil[t] : Math.max(heldUntil[t], lost[t]);

// --- Lanes

const ACQUIRE = about.kinds.indexOf("acquire"), LEASE_KINDS = new Set(["acquire", "renew", "belief", "release"].map(k => about.kinds.indexOf(k)));
const clashing = new Set(about.overlaps.flatMap(o => [o.a, o.b]));
const broken_ = new Set(about.overlaps.filter(o => !o.allowed).flatMap(o => [o.a, o.b]));
const MAX_ROWS = 6;
const collator = new Intl.Collator("en", {numeric: true});
let lanes = [], rowOf = new Uint8Array(m), laneOf = new Uint32Array(m), grouping = "";

/** The rank of each name among all, for colours that stay the same however lanes are sorted. */
const clientRank = about.clientRanks, lockRank = about.lockRanks;
/** What names do not have in common: enough to tell them apart where there is little room. */
function brief(names) {
  let common = 0;
  if (names.length > 1) while (common < names[0].length && names.every(n => n[common] === names[0][common] && n.length > common)) common++;
  while (common > 0 && /[0-9A-Za-z]/.test(names[0][common - 1]) && /[0-9]/.test(names[0][common - 1]) ) common--; // whole numbers
  return names.map(n => n.slice(common));
}
const briefClients = brief(about.clients), briefLocks = brief(about.locks);
/** The most telling comes first: overlaps, then losses and takeovers, then long leases; by name where alike. */
const telling = lane => {
  let marks = 0, longest = 0;
  for (const row of lane.rows) for (const t of row.list) {
    marks += (takenOver[t] ? 1 : 0) + (isNaN(lost[t]) ? 0 : 1);
    longest = Math.max(longest, heldUntil[t] - granted[t]);
  }
  return [lane.clash ? 1 : 0, marks, Math.floor(Math.log2(Math.max(1, longest)))];
};

function group(by) {
  grouping = by;
  const names = by === "lock" ? about.locks : about.clients, key = by === "lock" ? lock : client;
  const all = names.map((name, i) => ({name, i, rows: [], calls: [], clash: false, said: false}));
  for (let c = 0; c < n; c++) if (kind[c] === ACQUIRE || !LEASE_KINDS.has(kind[c])) all[key[c]].calls.push(c);
  for (let t = 0; t < m; t++) { // in order of their grants, each in the first row that is free
    const lane = all[key[grant[t]]];
    let row = lane.rows.findIndex(r => r.end <= granted[t]);
    if (row < 0) {
      row = Math.min(lane.rows.length, MAX_ROWS - 1);
      if (row === lane.rows.length) lane.rows.push({end: 0, list: []});
    }
    lane.rows[row].list.push(t);
    lane.rows[row].end = Math.max(lane.rows[row].end, tail(t));
    rowOf[t] = row;
    if (broken_.has(t)) lane.clash = true;
    if (clashing.has(t)) lane.said = true;
  }
  lanes = all.filter(l => l.rows.length || l.calls.length)
    .map(l => Object.assign(l, {rank: telling(l)}))
    .sort((a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1] || b.rank[2] - a.rank[2] || collator.compare(a.name, b.name));
  const rows = lanes.reduce((sum, lane) => sum + Math.max(1, lane.rows.length), 0);
  const room = (figure.dataset.fill ? stage.clientHeight : 400) - head() - 12 * lanes.length;
  ROW = Math.max(LOW, Math.min(HIGH, Math.floor(room / rows)));
  BAR = ROW - 8;
  let top = 0;
  lanes.forEach((lane, place) => {
    lane.top = top;
    lane.bottom = Math.max(1, lane.rows.length) * ROW + 4;
    lane.height = lane.bottom + 8 + (lane.said ? 18 : 0); // waiting calls, and the label of an overlap
    top += lane.height;
    lane.calls = Uint32Array.from(lane.calls);
    lane.callEnds = highest(lane.calls, c => completed[c]);
    lane.rows.forEach(row => {
      const list = row.list = Uint32Array.from(row.list);
      list.forEach(t => laneOf[t] = place);
      row.ends = highest(list, t => Math.max(tail(t), Math.min(validUntil[t], isNaN(released[t]) ? Infinity : released[t])));
      row.heldEnds = highest(list, t => heldUntil[t]);
      row.sum = new Float64Array(list.length + 1); // of the time held, up to each
      list.forEach((t, i) => row.sum[i + 1] = row.sum[i] + heldUntil[t] - granted[t]);
      row.marked = list.filter(t => takenOver[t] || !isNaN(lost[t]));
    });
  });
  lanesHeight = top;
  figure.dataset.lanes = lanes.slice(0, 20).map(l => l.name).join(", ");
  for (const each of figure.querySelectorAll("[data-group]")) each.setAttribute("aria-pressed", String(each.dataset.group === by));
  legend();
  resize();
}
/** The latest end up to each of a list, so that what began earlier and is still on is found by bisection. */
function highest(list, end) { let top = -Infinity; return Float64Array.from(list, x => top = Math.max(top, end(x))); }
/** The first place of an ascending list with more than that. */
function bisect(list, value, read = x => x, from = 0) {
  let low = from, high = list.length;
  while (low < high) { const mid = low + high >>> 1; if (read(list[mid]) > value) high = mid; else low = mid + 1; }
  return low;
}

// --- View

let ROW = 24, BAR = 16; // as high as there is room for
const LOW = 24, HIGH = 40, OVERVIEW = 18, AXIS = 26, MIN_VIEW = 10, SMALL_BAR = 4;
const MAX_FAULT_ROWS = 12, faultNames = [...new Set(about.faults.map(f => f.name))];
if (faultNames.length > MAX_FAULT_ROWS) faultNames.splice(MAX_FAULT_ROWS - 1, Infinity, "others");
const FAULT = faultNames.length > 6 ? 16 : 20;
const faultRow = f => { const row = faultNames.indexOf(f.name); return row < 0 ? faultNames.length - 1 : row; };
const broken = []; // when anything was, without overlap: [from, to], in order
for (const f of about.faults) {
  const last = broken[broken.length - 1];
  if (last && f.from <= last[1]) last[1] = Math.max(last[1], f.to); else broken.push([f.from, f.to]);
}
const full = {from: about.start, to: about.end + Math.max(1, (about.end - about.start) * .005)};
const MANY = 600; // leases in view
let crowded = false;
let view = {...full}, width = 0, height = 0, gutter = 0, lanesHeight = 0, wanted = false, pointer = null, chosen = -1, colours = {};
const head = () => OVERVIEW + 8 + faultNames.length * FAULT + AXIS;
const x = time => gutter + (time - view.from) / (view.to - view.from) * (width - gutter);
const time = px => view.from + (px - gutter) / (width - gutter) * (view.to - view.from);

function look(from, to) {
  const all = full.to - full.from, size = Math.min(all, Math.max(Math.min(MIN_VIEW, all), to - from));
  const start = Math.min(Math.max(full.from, from + (to - from - size) / 2), full.to - size);
  view = {from: start, to: start + size};
  redraw();
}
const pan = part => look(view.from + part * (view.to - view.from), view.to + part * (view.to - view.from));
function zoom(factor, around = (view.from + view.to) / 2) {
  look(around - (around - view.from) * factor, around + (view.to - around) * factor);
}
function redraw() { if (!wanted) { wanted = true; requestAnimationFrame(() => { wanted = false; draw(); }); } }
function resize() {
  width = stage.clientWidth;
  gutter = Math.round(Math.min(150, Math.max(86, width * .13)));
  const most = figure.dataset.fill ? stage.clientHeight : Math.max(260, Math.min(620, innerHeight * .7));
  height = figure.dataset.fill ? most : Math.min(most, head() + lanesHeight + 6);
  if (!figure.dataset.fill) stage.style.height = height + "px";
  tall.style.height = head() + lanesHeight + 6 + "px";
  const ratio = devicePixelRatio || 1;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  redraw();
}
function readColours() {
  const style = getComputedStyle(document.documentElement), get = name => style.getPropertyValue("--" + name).trim();
  for (const name of ["card", "text", "muted", "rule", "stripe", "shade", "fault", "fault-text", "clash", "link", "held"]) colours[name] = get(name);
  colours.holders = Array.from({length: 15}, (_, i) => [get("lock-" + i % 5), get("on-lock-" + i % 5), Math.floor(i / 5)]);
  redraw();
}
/** Five colours; who comes after gets them again with a stripe, so that they are still told apart. */
const colour = t => { const r = grouping === "lock" ? clientRank[client[grant[t]]] : lockRank[lock[grant[t]]]; return colours.holders[r % 15]; };

// --- Drawing

const g = canvas.getContext("2d", {alpha: false});
const FONT = "12px system-ui, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif", BOLD = "600 " + FONT, SMALL = "600 " + FONT.replace("12", "11");
function rect(style, x0, y, wide, high) { g.fillStyle = style; g.fillRect(x0, y, wide, high); }
function stroke(style, thick, ...points) {
  g.strokeStyle = style; g.lineWidth = thick; g.beginPath(); g.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) g.lineTo(points[i], points[i + 1]);
  g.stroke();
}
const widths = new Map();
function measure(font, text) {
  const k = font + text;
  if (!widths.has(k)) { if (widths.size > 5000) widths.clear(); g.font = font; widths.set(k, g.measureText(text).width); }
  return widths.get(k);
}
/** A text cut to the room there is: its end, where names that are alike differ, or its beginning. */
function label(style, font, px, y, room, text, end = false) {
  if (room < 14 || !text) return;
  let shown = text.length > 80 ? text.slice(0, 80) : text;
  if (measure(font, shown) > room) {
    const whole = shown;
    let most = Math.floor(whole.length * room / measure(font, whole));
    do {
      if (most < 1) return;
      shown = end ? "…" + whole.slice(-most) : whole.slice(0, most) + "…";
      most--;
    } while (measure(font, shown) > room);
  }
  g.font = font; g.fillStyle = style;
  g.fillText(shown, px, y);
}
const seconds = t => (t * about.unit / 1e9).toLocaleString("en", {minimumFractionDigits: 3, maximumFractionDigits: Math.max(3, Math.min(9, Math.ceil(-Math.log10((view.to - view.from) * about.unit / 1e9)) + 3))}) + " s";

function draw() {
  const ratio = devicePixelRatio || 1, scroll = stage.scrollTop;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.textBaseline = "middle";
  rect(colours.card, 0, 0, width, height);
  g.save();
  g.beginPath(); g.rect(0, head(), width, height - head()); g.clip();
  g.translate(0, head() - scroll);
  const first = lanes.findIndex(l => l.top + l.height > scroll);
  const seen = first < 0 ? [] : lanes.slice(first, first + Math.ceil(height / (ROW + 12)) + 1);
  crowded = seen.reduce((sum, lane) => sum + lane.rows.reduce((all, row) =>
    all + bisect(row.list, view.to, t => granted[t]) - bisect(row.ends, view.from), 0), 0) > MANY;
  seen.forEach((lane, i) => { if ((first + i) % 2 === 0) rect(colours.stripe, 0, lane.top, width, lane.height); });
  g.save();
  g.beginPath(); g.rect(gutter, scroll, width - gutter, height); g.clip();
  grid(scroll, scroll + height);
  shades(scroll, height);
  seen.forEach(drawLane);
  clashes(seen);
  g.restore();
  if (about.overlaps.length) cues(scroll);
  for (const lane of seen) {
    label(lane.clash ? colours.clash : colours.text, BOLD, 7, lane.top + lane.height / 2, gutter - 10, (lane.clash ? "✕ " : "") + lane.name);
  }
  if (!lanes.length) label(colours.muted, FONT, gutter + 8, 20, width - gutter, "No lock was attempted in this run.");
  g.restore();
  drawHead();
  stroke(colours.rule, 1, gutter + .5, OVERVIEW + 4, gutter + .5, height);
  element("window").textContent = seconds(view.from) + " to " + seconds(Math.min(view.to, about.end));
  figure.dataset.from = view.from; figure.dataset.to = view.to; figure.dataset.draws = Number(figure.dataset.draws || 0) + 1;
}
/** Distances of 1, 2 or 5 times a power of ten. */
function step() {
  const least = (view.to - view.from) / Math.max(1, (width - gutter) / 90), power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, power * [1, 2, 5, 10].find(f => least <= f * power * 1.000001));
}
function eachTick(use) { const s = step(); for (let t = Math.ceil(view.from / s) * s; t <= view.to; t += s) use(t); }
function grid(top, bottom) { eachTick(t => rect(colours.rule, Math.round(x(t)), top, 1, bottom - top)); }
function visibleFaults() { return about.faults.filter(f => f.to >= view.from && f.from <= view.to); }
function shades(top, high, place = x) {
  let last = -Infinity;
  for (const [from, to] of broken) {
    const left = Math.max(last, place(from)), right = Math.max(place(from) + 1.5, place(to)); // shades on shades would be darker
    if (right > left && right > gutter && left < width) rect(colours.shade, left, top, right - left, high);
    last = Math.max(last, right);
  }
}
function drawHead() {
  rect(colours.card, 0, 0, width, head());
  // The whole run in one strip, with what is in view.
  const ox = t => gutter + (t - full.from) / (full.to - full.from) * (width - gutter);
  label(colours.muted, FONT, 7, OVERVIEW / 2 + 2, gutter - 10, "whole run");
  rect(colours.stripe, gutter, 2, width - gutter, OVERVIEW - 2);
  shades(2, OVERVIEW - 2, ox);
  for (const o of about.overlaps) rect(o.allowed ? colours.muted : colours.clash, ox(o.from) - 1, 2, Math.max(3, ox(o.to) - ox(o.from)), OVERVIEW - 2);
  g.strokeStyle = colours.link; g.lineWidth = 2;
  g.strokeRect(Math.min(ox(view.from) + 1, width - 5), 2, Math.max(3, ox(view.to) - ox(view.from) - 2), OVERVIEW - 2);
  g.save();
  g.beginPath(); g.rect(gutter, 0, width - gutter, head()); g.clip();
  const faultTop = OVERVIEW + 8;
  for (const f of visibleFaults()) {
    const row = faultRow(f);
    const from = Math.max(gutter - 4, x(f.from)), wide = Math.max(4, Math.min(width + 4, x(f.to)) - from), y = faultTop + row * FAULT + 2;
    g.fillStyle = colours.fault; g.beginPath(); g.roundRect(from, y, wide, FAULT - 4, 3); g.fill();
    label(colours["fault-text"], SMALL, Math.max(gutter, from) + 5, y + (FAULT - 4) / 2 + .5, wide - 10, faultNames[row] === f.name ? f.target || f.name : f.name + " " + f.target);
  }
  eachTick(t => {
    rect(colours.rule, Math.round(x(t)), head() - AXIS + 2, 1, AXIS);
    label(colours.muted, FONT, x(t) + 4, head() - AXIS / 2 + 1, 80, Number((t * about.unit / 1e9).toPrecision(12)) + " s");
  });
  g.restore();
  faultNames.forEach((name, row) => label(colours.muted, FONT, 7, faultTop + row * FAULT + FAULT / 2, gutter - 10, name));
  stroke(colours.rule, 1, 0, head() - .5, width, head() - .5);
}
function drawLane(lane) {
  waits(lane);
  lane.rows.forEach((row, i) => drawRow(row, lane.top + 4 + i * ROW));
}
/** For how long a row was held until then, which is not before the grant at {@code from}. */
function heldUpTo(row, until, from = 0) {
  const k = bisect(row.list, until, t => granted[t], from);
  return k === 0 ? 0 : row.sum[k] - Math.max(0, heldUntil[row.list[k - 1]] - until);
}
/** Leases one by one, or how much of each pixel was held, in eight shades, where they are too small for that. */
function drawRow(row, top) {
  const {list} = row, perPixel = (view.to - view.from) / (width - gutter), y = top + (ROW - BAR) / 2;
  let i = bisect(row.ends, view.from);
  let pixel = -1, runFrom = 0, runTo = -1, runShade = 0, known = -1, before = 0;
  const flush = () => { if (runTo >= runFrom) { g.globalAlpha = .2 + .1 * runShade; rect(colours.held, runFrom, y, runTo - runFrom, BAR); g.globalAlpha = 1; } runTo = -1; };
  while (i < list.length && granted[list[i]] < view.to) {
    const t = list[i];
    const next = i + 1 < list.length ? granted[list[i + 1]] : Infinity;
    if (heldUntil[t] - granted[t] < SMALL_BAR * perPixel && next - granted[t] < SMALL_BAR * perPixel && !clashing.has(t) && t !== chosen) {
      pixel = Math.max(pixel + 1, Math.floor(x(Math.max(granted[t], view.from)))); // one shade for all of it
      const end = time(pixel + 1), until = heldUpTo(row, end, i), since = known === pixel ? before : heldUpTo(row, time(pixel));
      const shade = Math.max(1, Math.min(8, Math.round(8 * (until - since) / perPixel)));
      known = pixel + 1;
      before = until;
      if (pixel !== runTo || shade !== runShade) { flush(); runFrom = pixel; runShade = shade; }
      runTo = pixel + 1;
      i = bisect(row.heldEnds, end, e => e, i);
    } else {
      flush();
      bar(t, y);
      i++;
    }
  }
  flush();
  let last = -Infinity; // losses and takeovers are never left out, unless on top of each other
  const triangles = new Path2D(), crosses = new Path2D(); // one path each: thousands would cost frames
  for (let k = bisect(row.marked, view.from, tail); k < row.marked.length && granted[row.marked[k]] < view.to; k++) {
    const t = row.marked[k];
    if (x(granted[t]) - last < 3) continue;
    last = x(granted[t]);
    if (takenOver[t]) takeover(triangles, last, y);
    if (!isNaN(lost[t])) {
      if (lost[t] > heldUntil[t]) rect(colour(t)[0], x(heldUntil[t]), y + BAR / 2 - 1, x(lost[t]) - x(heldUntil[t]), 2);
      cross(crosses, x(lost[t]), y + BAR / 2);
    }
  }
  g.fillStyle = colours.text;
  g.fill(triangles);
  for (const [ink, thick] of [[colours.card, 5], [colours.text, 2.2]]) { g.strokeStyle = ink; g.lineWidth = thick; g.stroke(crosses); }
}
function bar(t, y) {
  const [fill, on, stripes] = colour(t), from = x(granted[t]), until = isNaN(released[t]) ? validUntil[t] : Math.min(validUntil[t], released[t]);
  if (until > heldUntil[t]) { const end = Math.max(gutter, x(heldUntil[t])); g.globalAlpha = .28; rect(fill, end, y, Math.min(width + 2, x(until)) - end, BAR); g.globalAlpha = 1; }
  let free = from;
  for (let s = spanStart[t]; s < spanStart[t + 1]; s++) {
    const left = Math.max(gutter - 2, x(spanFrom[s])), wide = Math.max(1, Math.min(width + 2, x(spanTo[s])) - left);
    if (wide < 0 || left > width) continue;
    rect(fill, left, y, wide, BAR);
    for (let k = 0; k < stripes && wide > 3; k++) rect(on, left, k ? y + BAR - 2 : y + 1, wide, 1);
    if (s === spanStart[t]) free = left + wide;
  }
  if (x(heldUntil[t]) - from > 10) {
    let last = from + 3;
    for (let r = renewalStart[t]; r < renewalStart[t + 1]; r++) {
      const px = x(completed[renewals[r]]);
      if (px - last > 4 && px > gutter) { rect(on, px, y + BAR - 4, 1.5, 4); last = px; }
    }
    rect(on, from, y, 1.5, BAR);
    if (!isNaN(released[t])) { const px = x(released[t]); rect(colours.text, px - 1, y - 3, 2, BAR + 6); }
  } else if (x(heldUntil[t]) - from > 3) rect(colours.card, x(heldUntil[t]) - .5, y, .5, BAR);
  const left = Math.max(from, gutter) + 6;
  const i = grouping === "lock" ? client[grant[t]] : lock[grant[t]];
  const who = (grouping === "lock" ? about.clients : about.locks)[i], least = (grouping === "lock" ? briefClients : briefLocks)[i];
  const space = free - left - 4;
  if (space < 14 && crowded) { // letters in hundreds of bars are but noise, and take their time
  } else if (space > 4) { // the longest of these that fits
    const whole = space > 60 && fence(grant[t]) ? who + "  #" + short(fence(grant[t])) : who;
    const fits = [whole, who, least].find(text => measure(SMALL, text) <= space);
    if (fits) { g.font = SMALL; g.fillStyle = on; g.fillText(fits, left, y + BAR / 2 + .5); }
    else label(on, SMALL, left, y + BAR / 2 + .5, space, least, true);
  } else if (free - from >= 7 && left === from + 6) { // centred, without its margin
    const wide = measure(SMALL, least);
    if (least && wide <= free - from - 1) { g.font = SMALL; g.fillStyle = on; g.fillText(least, from + (free - from - wide) / 2 + .5, y + BAR / 2 + .5); }
  }
  if (t === chosen) { g.strokeStyle = colours.text; g.lineWidth = 2; g.strokeRect(Math.max(from, gutter - 4) - 1, y - 2, Math.max(4, Math.min(width + 4, x(heldUntil[t])) - Math.max(from, gutter - 4)) + 2, BAR + 4); }
}
function takeover(path, px, y) { path.moveTo(px - 5, y - 5); path.lineTo(px + 5, y - 5); path.lineTo(px, y + 3); path.closePath(); }
function cross(path, px, y) { path.moveTo(px - 4, y - 4); path.lineTo(px + 4, y + 4); path.moveTo(px - 4, y + 4); path.lineTo(px + 4, y - 4); }
/** Who asked and waited, at the bottom of the lane, and what was refused. */
function waits(lane) {
  const y = lane.top + lane.bottom + 3, perPixel = (view.to - view.from) / (width - gutter);
  let i = bisect(lane.callEnds, view.from), last = -Infinity;
  while (i < lane.calls.length && invoked[lane.calls[i]] < view.to) {
    const c = lane.calls[i], from = Math.max(last, x(invoked[c]), gutter), to = Math.min(width, x(Math.min(completed[c], about.end)));
    if (kind[c] !== ACQUIRE) {
      g.fillStyle = outcome(c) === FAIL ? colours.clash : colours.muted;
      g.fillRect(x(completed[c]) - 1, y - 2, 2, 4);
    } else if (to > from) {
      rect(colours.muted, from, y, Math.max(.7, to - from), 1);
      if (outcome(c) === FAIL && to - from > 3) rect(colours.muted, to - 1, y - 3, 1.5, 7);
    }
    last = Math.max(last, to);
    i = Math.max(i + 1, bisect(lane.callEnds, Math.max(time(last), invoked[c] + perPixel / 2), e => e, i));
  }
}
const hatchings = new Map();
function hatch(ink) {
  if (hatchings.has(ink)) return hatchings.get(ink);
  const tile = document.createElement("canvas"); tile.width = tile.height = 8;
  const h = tile.getContext("2d");
  h.strokeStyle = ink; h.lineWidth = 3; h.lineCap = "square";
  h.beginPath(); h.moveTo(0, 8); h.lineTo(8, 0); h.moveTo(-2, 2); h.lineTo(2, -2); h.moveTo(6, 10); h.lineTo(10, 6); h.stroke();
  hatchings.set(ink, g.createPattern(tile, "repeat"));
  return hatchings.get(ink);
}
function clashes(seen) {
  const said = new Map(); // by the lower of the two lanes: what there is to say below it
  for (const o of about.overlaps) {
    if (o.to < view.from || o.from > view.to) continue;
    const one = lanes[laneOf[o.a]], other = lanes[laneOf[o.b]];
    if (!seen.includes(one) && !seen.includes(other)) continue;
    const tops = [[one, o.a], [other, o.b]].map(([lane, t]) => lane.top + 4 + rowOf[t] * ROW);
    const top = Math.min(...tops) + 1, bottom = Math.max(...tops) + ROW - 1, from = Math.max(gutter - 6, x(o.from)), wide = Math.max(3, Math.min(width + 6, x(o.to)) - from);
    const ink = o.allowed ? colours.muted : colours.clash;
    g.globalAlpha = .5; rect(hatch(ink), from, top, wide, bottom - top); g.globalAlpha = 1;
    g.strokeStyle = ink; g.lineWidth = 2; g.strokeRect(from, top, wide, bottom - top);
    const lane = one.top > other.top ? one : other;
    if (!said.has(lane)) said.set(lane, []);
    said.get(lane).push(o);
  }
  for (const [lane, all] of said) {
    const first = all.reduce((a, b) => b.from < a.from ? b : a);
    const allowed = all.every(o => o.allowed);
    const words = (all.length > 1 ? all.length + " overlaps" + (allowed ? ", allowed" : "") + ", first: " : allowed ? "two holders, allowed: " : "two holders: ") +
      [[first.a, first.first], [first.b, first.second]].map(([t, who]) => "operation " + answeredAt[grant[t]] + " (" + who + ")").join(" and ");
    const room = Math.min(width - gutter - 8, measure(SMALL, words) + 12), tx = Math.max(gutter + 4, Math.min(x(first.from), width - room)), y = lane.top + lane.height - 18;
    rect(allowed ? colours.muted : colours.clash, tx, y, room, 17);
    label(colours.card, SMALL, tx + 6, y + 9, room - 10, words);
  }
}

/** Where overlaps are that are not in view. */
function cues(scroll) {
  const count = which => about.overlaps.filter(which).length, high = height - head();
  const place = o => lanes[laneOf[o.a]];
  const said = [], all = [
    [count(o => o.to < view.from), "◂ ", 0], [count(o => o.from > view.to), " ▸", 1],
    [count(o => o.to >= view.from && o.from <= view.to && place(o).top >= scroll + high - 8), " below ▾", 2],
    [count(o => o.to >= view.from && o.from <= view.to && place(o).top + place(o).height <= scroll + 8), " above ▴", 3]];
  for (const [many, sign, side] of all) {
    if (!many) continue;
    const text = (side === 0 ? sign : "") + many + (many === 1 ? " overlap" : " overlaps") + (side === 0 ? "" : sign);
    said.push(text);
    const wide = measure(SMALL, text) + 12;
    const left = side === 0 ? gutter + 2 : side === 1 ? width - wide - 2 : gutter + (width - gutter - wide) / 2;
    const top = scroll + (side < 2 ? high / 2 - 9 : side === 2 ? high - 20 : 2);
    rect(colours.clash, left, top, wide, 18);
    label(colours.card, SMALL, left + 6, top + 9.5, wide - 8, text);
  }
  figure.dataset.elsewhere = said.join(", ");
}

// --- Words

function words(t) {
  const c = grant[t], renewed = renewalStart[t + 1] - renewalStart[t];
  const parts = [about.clients[client[c]] + " held " + about.locks[lock[c]] + (fence(c) ? ", fence " + fence(c) : ""),
    "operations " + askedAt[c] + " and " + answeredAt[c] + ": asked at " + seconds(invoked[c]) + ", granted at " + seconds(granted[t])];
  for (let s = spanStart[t]; s < spanStart[t + 1]; s++) parts.push("held from " + seconds(spanFrom[s]) + " to " + seconds(spanTo[s]));
  parts.push("valid until " + seconds(validUntil[t]) + (renewed ? ", after " + renewed + (renewed === 1 ? " renewal" : " renewals") : ""));
  if (takenOver[t]) parts.push("taken over: the lease before it was not released");
  if (!isNaN(lost[t])) parts.push("notified of its loss at " + seconds(lost[t]));
  if (!isNaN(released[t])) parts.push("released at " + seconds(released[t]));
  for (const o of about.overlaps) if (o.a === t || o.b === t) {
    const rival = grant[o.a === t ? o.b : o.a];
    parts.push((o.allowed ? "overlaps, which is allowed, with " : "OVERLAPS with ") + (o.a === t ? o.second : o.first) + " (operation " + answeredAt[rival] + ") from " + seconds(o.from) + " to " + seconds(o.to));
  }
  return parts;
}
function callWords(c) {
  const ends = ["was never answered", "ok", "failed", "unknown outcome"];
  return [about.clients[client[c]] + ": " + about.kinds[kind[c]] + " of " + about.locks[lock[c]] + (fence(c) ? ", fence " + fence(c) : ""),
    "operation " + askedAt[c] + " at " + seconds(invoked[c]), ends[outcome(c)] + (outcome(c) === OPEN ? "" : " at " + seconds(completed[c]) + " (operation " + answeredAt[c] + ")")];
}
function hit(px, py) {
  if (px < gutter) return null;
  const t = time(px), slack = 3 * (view.to - view.from) / (width - gutter);
  if (py < head()) {
    const row = Math.floor((py - OVERVIEW - 8) / FAULT);
    const f = about.faults.find(f => faultRow(f) === row && f.from - slack <= t && t <= f.to + slack);
    return f ? {words: ["fault: " + f.name + (f.target ? " of " + f.target : ""), "from " + seconds(f.from) + (f.healed ? " to " + seconds(f.to) : ", never healed")]} : null;
  }
  const y = py - head() + stage.scrollTop, lane = lanes.find(l => l.top <= y && y < l.top + l.height);
  if (!lane) return null;
  const row = lane.rows[Math.floor((y - lane.top - 4) / ROW)];
  if (row) {
    for (let i = Math.min(row.list.length, bisect(row.list, t + slack, u => granted[u])) - 1, tries = 0; i >= 0 && tries < 50; i--, tries++) {
      const u = row.list[i], end = Math.max(tail(u), isNaN(released[u]) ? validUntil[u] : released[u]);
      if (granted[u] - slack <= t && t <= end + slack) return {words: words(u), tenure: u};
    }
  }
  for (let i = bisect(lane.callEnds, t - slack), tries = 0; i < lane.calls.length && tries < 500; i++, tries++) {
    const c = lane.calls[i];
    if (invoked[c] > t + slack) break;
    if (completed[c] >= t - slack) return {words: callWords(c)};
  }
  return null;
}
const tip = element("tip");
function tell(found, px, py) {
  tip.hidden = !found;
  if (!found) return;
  tip.replaceChildren(...found.words.map((w, i) => { const d = document.createElement(i ? "div" : "strong"); d.textContent = w; return d; }));
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(0, Math.min(px + 14, width - box.width)) + "px";
  tip.style.top = (py + 18 + box.height > height && py > box.height + 18 ? py - box.height - 10 : py + 18) + "px";
}
function legend() {
  const holders = grouping === "lock" ? about.clients : about.locks, ranks = grouping === "lock" ? clientRank : lockRank;
  const used = [...new Set(Array.from(grant, c => grouping === "lock" ? client[c] : lock[c]))].sort((a, b) => ranks[a] - ranks[b]);
  element("holders").replaceChildren(...used.slice(0, 12).map(h => {
    const item = document.createElement("li"), swatch = document.createElement("i");
    swatch.className = "swatch lock-" + ranks[h] % 5 + " stripes-" + Math.floor(ranks[h] / 5) % 3;
    item.append(swatch, (grouping === "lock" ? "" : "lock ") + holders[h]);
    return item;
  }), ...(used.length > 12 ? [Object.assign(document.createElement("li"), {textContent: "and " + (used.length - 12) + " more"})] : []));
}

// --- Hands

function show(from, to, t) { // something, with room around it
  const room = Math.max((to - from) * .75, (full.to - full.from) / 2000, MIN_VIEW / 4);
  if (t !== undefined) { const lane = lanes[laneOf[t]]; chosen = t; stage.scrollTop = lane.top + lane.height / 2 - (height - head()) / 2; }
  look(from - room, to + room);
}
function choose(t) {
  if (t === undefined || t < 0 || t >= m) return;
  if (granted[t] < view.from || heldUntil[t] > view.to) show(granted[t], heldUntil[t], t); else show1(t);
  element("told").textContent = words(t).join("; ");
}
function show1(t) { chosen = t; const lane = lanes[laneOf[t]]; if (lane.top < stage.scrollTop || lane.top + lane.height > stage.scrollTop + height - head()) stage.scrollTop = lane.top; redraw(); }
let overlapShown = -1;
function nextOverlap() {
  if (!about.overlaps.length) { element("told").textContent = "No lock had two holders at the same time."; return; }
  overlapShown = (overlapShown + 1) % about.overlaps.length;
  const o = about.overlaps[overlapShown];
  show(o.from, o.to, o.b);
  element("told").textContent = words(o.b).join("; ");
}
const keys = {
  ArrowLeft: () => pan(-.15), ArrowRight: () => pan(.15), PageUp: () => stage.scrollBy(0, -200), PageDown: () => stage.scrollBy(0, 200),
  ArrowUp: () => stage.scrollBy(0, -ROW), ArrowDown: () => stage.scrollBy(0, ROW),
  "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1 / .6), "0": () => { chosen = -1; look(full.from, full.to); },
  Home: () => pan(-1e9), End: () => pan(1e9), n: () => choose(chosen < 0 ? Math.min(m - 1, bisect(granted, view.from)) : chosen + 1), p: () => choose(chosen - 1),
  o: nextOverlap, g: () => group(grouping === "lock" ? "client" : "lock"), Escape: () => { chosen = -1; tell(null); redraw(); },
};
stage.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
  e.preventDefault();
  keys[e.key]();
});
stage.addEventListener("wheel", e => {
  const scale = e.deltaMode ? 20 : 1;
  if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) { e.preventDefault(); pan((e.deltaX || e.deltaY) * scale / (width - gutter)); }
  else if (e.ctrlKey || e.metaKey || document.activeElement === stage) { e.preventDefault(); zoom(Math.exp(e.deltaY * scale * .002), time(Math.max(gutter, e.clientX - canvas.getBoundingClientRect().left))); }
}, {passive: false});
const place = e => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
const pointers = new Map();
canvas.addEventListener("pointerdown", e => {
  const [px, py] = place(e);
  canvas.setPointerCapture(e.pointerId);
  pointers.set(e.pointerId, [px, py]);
  pointer = {view: {...view}, px, py, scroll: stage.scrollTop, moved: false, overview: py < OVERVIEW + 4 && px > gutter};
  if (pointers.size === 2) { const [[a], [b]] = [...pointers.values()]; pointer.pinch = Math.max(20, Math.abs(a - b)); pointer.middle = time((a + b) / 2); }
  if (pointer.overview) jump(px);
  tell(null);
});
function jump(px) { const t = full.from + (px - gutter) / (width - gutter) * (full.to - full.from), half = (view.to - view.from) / 2; look(t - half, t + half); }
canvas.addEventListener("pointermove", e => {
  const [px, py] = place(e);
  if (pointer && pointers.has(e.pointerId)) {
    pointers.set(e.pointerId, [px, py]);
    if (pointer.pinch) {
      const [[a], [b]] = [...pointers.values()], factor = pointer.pinch / Math.max(20, Math.abs(a - b));
      look(pointer.middle - (pointer.middle - pointer.view.from) * factor, pointer.middle + (pointer.view.to - pointer.middle) * factor);
    } else if (pointer.overview) jump(px);
    else {
      pointer.moved ||= Math.abs(px - pointer.px) > 3 || Math.abs(py - pointer.py) > 3;
      const by = (pointer.px - px) / (width - gutter) * (pointer.view.to - pointer.view.from);
      if (e.pointerType === "mouse") stage.scrollTop = pointer.scroll + pointer.py - py;
      look(pointer.view.from + by, pointer.view.to + by);
    }
  } else tell(hit(px, py), px, py);
});
function up(e) {
  if (pointer && !pointer.moved && !pointer.overview && e.type === "pointerup") {
    const [px, py] = place(e), found = hit(px, py);
    tell(found, px, py);
    chosen = found && found.tenure !== undefined ? found.tenure : -1;
    element("told").textContent = found ? found.words.join("; ") : "";
    redraw();
  }
  pointers.delete(e.pointerId);
  if (!pointers.size || pointer && pointer.pinch) pointer = null;
}
canvas.addEventListener("pointerup", up);
canvas.addEventListener("pointercancel", up);
canvas.addEventListener("pointerleave", () => tell(null));
canvas.addEventListener("dblclick", e => zoom(.4, time(place(e)[0])));
stage.addEventListener("scroll", redraw);
for (const each of figure.querySelectorAll("[data-key]")) each.addEventListener("click", () => keys[each.dataset.key]());
for (const each of figure.querySelectorAll("[data-group]")) each.addEventListener("click", () => group(each.dataset.group));
// Links of the page, such as #at=1.5,2 in seconds, or #overlap=0.
function follow() {
  const [what, value] = location.hash.slice(1).split("=");
  if (what === "at") {
    const [from, to] = value.split(",").map(s => Number(s) * 1e9 / about.unit);
    if (isFinite(from) && isFinite(to)) show(from, to);
  } else if (what === "overlap" && about.overlaps[Number(value)]) { overlapShown = Number(value) - 1; nextOverlap(); } else return;
  figure.scrollIntoView({block: "nearest"});
}
addEventListener("hashchange", follow);
addEventListener("resize", resize);
new ResizeObserver(() => { if (stage.clientWidth !== width) resize(); }).observe(stage);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
readColours();
group("lock");
follow();
draw();
performance.mark("timeline-drawn");
})().catch(problem => {
  document.getElementById("told").textContent = "The timeline cannot be drawn here: " + problem;
  throw problem;
});
