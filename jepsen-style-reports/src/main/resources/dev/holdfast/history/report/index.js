"use strict";
// Hides the runs whose name or verdict does not contain what was typed.
(() => {
const filter = document.getElementById("filter"), told = document.getElementById("shown");
if (!filter) return;
filter.hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const row of document.querySelectorAll("tbody tr")) {
    row.hidden = !row.dataset.search.includes(wanted);
    shown += row.hidden ? 0 : 1;
  }
  for (const section of document.querySelectorAll("main section"))
    section.hidden = !section.querySelector("tbody tr:not([hidden])");
  told.textContent = shown + " shown";
});
})();
