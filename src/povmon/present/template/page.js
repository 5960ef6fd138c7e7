"use strict";
(function () {
  var page = document;

  function button(label, onClick) {
    var made = page.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", onClick);
    return made;
  }

  function offerAllCode() {
    var blocks = page.querySelectorAll("details.code");
    var place = page.querySelector("header.page .tools");
    if (!blocks.length || !place) { return; }
    var open = false;
    var control = button("Show all code", function () {
      open = !open;
      blocks.forEach(function (block) { block.open = open; });
      control.textContent = open ? "Hide all code" : "Show all code";
    });
    place.appendChild(control);
  }

  function valueOf(row, column) {
    var cell = row.cells[column];
    if (!cell || cell.classList.contains("missing")) { return null; }
    var given = cell.getAttribute("data-sort");
    return given === null ? cell.textContent.trim() : Number(given);
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    return String(a).localeCompare(String(b), page.documentElement.lang);
  }

  function sortBy(table, column, direction) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows).map(function (row, place) {
      return { row: row, place: place, value: valueOf(row, column) };
    });
    rows.sort(function (a, b) {
      // Rows without a value stay last in either direction.
      if (a.value === null || b.value === null) {
        return (a.value === null) - (b.value === null) || a.place - b.place;
      }
      return direction * compare(a.value, b.value) || a.place - b.place;
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
  }

  function makeSortable(table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var control = button("", function () {
        var direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
        sortBy(table, column, direction);
      });
      while (head.firstChild) { control.appendChild(head.firstChild); }
      head.appendChild(control);
    });
  }

  function openForPrint() {
    var folds = page.querySelectorAll("details.fold:not([open])");
    folds.forEach(function (fold) { fold.open = true; fold.dataset.reclose = "1"; });
  }

  function closeAfterPrint() {
    page.querySelectorAll("details.fold[data-reclose]").forEach(function (fold) {
      fold.open = false;
      delete fold.dataset.reclose;
    });
  }

  offerAllCode();
  page.querySelectorAll("table.sortable").forEach(makeSortable);
  window.addEventListener("beforeprint", openForPrint);
  window.addEventListener("afterprint", closeAfterPrint);
}());
