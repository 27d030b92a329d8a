'use strict';
/* SPDX-License-Identifier: MIT
 * Lights up rows and points together; sorts, filters and opens tables, from the JSON beside each. */
(function () {
  var all = function (selector, within) { return Array.from((within || document).querySelectorAll(selector)); };
  var make = function (tag, set, children) {
    var e = Object.assign(document.createElement(tag), set);
    (children || []).forEach(function (c) { e.append(c); });
    return e;
  };
  var isNumber = function (s) { return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(s) && isFinite(s); };
  /* As html_cell has it: four digits, whole numbers and text as they are. */
  var shown = function (s) {
    var v = Number(s), a = Math.abs(v);
    if (!isNumber(s) || v === Math.floor(v)) return s;
    v *= 1 + 4e-16;
    if (a >= 1000) return v.toFixed(0);
    var digits = v.toPrecision(4), e = Number(v.toExponential(3).split('e')[1]);
    if (e >= -4) return String(digits.indexOf('.') < 0 ? digits : digits.replace(/\.?0+$/, ''));
    var parts = v.toExponential(3).split('e'), n = Math.abs(parts[1]);
    return parts[0].replace(/\.?0+$/, '') + 'e-' + (n < 10 ? '0' : '') + n;
  };

  /* --- rows and points ------------------------------------------------------------------------ */
  var marks = new Map(), tables = [], note = make('div', { id: 'note' }), hot = '', pinned = '';
  note.setAttribute('aria-hidden', 'true');
  document.body.append(note);
  all('.mark, code[data-p]').forEach(function (m) {
    var list = marks.get(m.dataset.p);
    if (list) list.push(m); else marks.set(m.dataset.p, [m]);
  });
  var paint = function (id, name, on) {
    if (!id) return;
    (marks.get(id) || []).concat(all('tr[data-p="' + id + '"]')).forEach(function (e) { e.classList.toggle(name, on); });
  };
  var light = function (id) {
    if (id === hot) return;
    paint(hot, 'on', false);
    hot = id;
    paint(hot, 'on', true);
  };
  var pin = function (id, from) {
    paint(pinned, 'pin', false);
    pinned = id === pinned ? '' : id;
    paint(pinned, 'pin', true);
    var mark = from.closest('.mark');
    var title = mark && mark.querySelector('title');
    note.textContent = !pinned || !mark ? '' : title ? title.textContent : tables.map(function (t) { return t.nameOf(id); }).join('');
  };
  var idOf = function (e) { var t = e.target.closest && e.target.closest('[data-p]'); return t ? t.dataset.p : ''; };
  document.addEventListener('pointerover', function (e) { light(idOf(e)); });
  document.addEventListener('focusin', function (e) { light(idOf(e)); });
  document.addEventListener('click', function (e) {
    var id = idOf(e);
    if (!id || e.target.closest('button')) {
      if (!id) { paint(pinned, 'pin', false); pinned = note.textContent = ''; }
      return;
    }
    if (!e.target.closest('tr')) tables.forEach(function (t) { t.reveal(id); });
    pin(id, e.target);
  });
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape' && pinned) pin(pinned, document.body); });

  /* --- tables --------------------------------------------------------------------------------- */
  var cellOf = function (row, c) { return c < 0 ? row[1] : row[c + 2]; };

  function Table(table, data) {
    var body = table.tBodies[0], order = data.rows.map(function (_, i) { return i; }), page = data.page, sorted = -1, down = false;
    var columns = data.shown, wide = false, said = [], heads = all('thead th', table);
    var numeric = function (c) {
      return c >= 0 && data.rows.some(function (r) { return r[c + 2] !== ''; }) &&
        data.rows.every(function (r) { return r[c + 2] === '' || isNumber(r[c + 2]); });
    };
    var numbers = data.columns.map(function (_, c) { return numeric(c); });

    var value = function (row, s) {
      var td = make('td', { textContent: shown(cellOf(row, s[0])) });
      td.dataset.l = s[3];
      if (!isNumber(cellOf(row, s[0]))) td.className = 't';
      if (s[1] >= 0 && s[2] >= 0 && cellOf(row, s[1]) !== '' && cellOf(row, s[2]) !== '')
        td.append(' ', make('small', { textContent: '[' + shown(cellOf(row, s[1])) + ', ' + shown(cellOf(row, s[2])) + ']' }));
      return td;
    };
    var line = function (i) {
      var row = data.rows[i], tr = make('tr');
      var button = make('button', { type: 'button', className: 'more', textContent: shown(cellOf(row, columns[0][0])) });
      button.setAttribute('aria-expanded', 'false');
      tr.dataset.r = i;
      if (row[0]) tr.dataset.p = row[0];
      if (row[0] && row[0] === pinned) tr.classList.add('pin');
      tr.append(make('th', { scope: 'row' }, [button]));
      columns.slice(1).forEach(function (s) { tr.append(value(row, s)); });
      return tr;
    };
    var tell = function () {
      count.textContent = order.length + ' of ' + data.rows.length + ' rows' + (order.length > page ? ', the first ' + page + ' shown' : '');
      next.hidden = order.length <= page;
    };
    var draw = function () {
      var made = document.createDocumentFragment();
      order.slice(0, page).forEach(function (i) { made.append(line(i)); });
      body.replaceChildren(made);
      tell();
    };
    var arrange = function () {
      if (sorted < 0) order.sort(function (a, b) { return a - b; });
      else {
        var c = columns[sorted][0], as = c >= 0 && numbers[c], by = data.rows.map(function (r) { var v = cellOf(r, c); return as && v !== '' ? Number(v) : v; });
        var compare = new Intl.Collator('en', { numeric: true }).compare;
        order.sort(function (a, b) {
          var x = by[a], y = by[b];
          if (x === '' || y === '') return (x === '') - (y === '') || a - b;
          var d = as ? x - y : compare(x, y);
          return (down ? -d : d) || a - b;
        });
      }
      heads.forEach(function (th, i) {
        if (i === sorted) th.setAttribute('aria-sort', down ? 'descending' : 'ascending'); else th.removeAttribute('aria-sort');
      });
    };
    var filter = function () {
      var words = find.value.toLowerCase().split(/\s+/).filter(Boolean), c = Number(which.value);
      var least = from.value === '' ? -Infinity : Number(from.value), most = to.value === '' ? Infinity : Number(to.value);
      order = data.rows.map(function (_, i) { return i; }).filter(function (i) {
        var row = data.rows[i], v = row[c + 2];
        if ((least > -Infinity || most < Infinity) && (v === '' || Number(v) < least || Number(v) > most)) return false;
        if (!words.length) return true;
        if (!said[i]) said[i] = row.join('\n').toLowerCase();
        return words.every(function (w) { return said[i].indexOf(w) >= 0; });
      });
      page = data.page;
      arrange();
      draw();
    };

    /* What is above a table, made here: without scripts it would do nothing. */
    var find = make('input', { type: 'search' }), which = make('select', { ariaLabel: 'Column' }), from = make('input', { type: 'number', step: 'any', ariaLabel: 'from' });
    var to = make('input', { type: 'number', step: 'any', ariaLabel: 'to' }), clear = make('button', { type: 'button', textContent: 'Clear' });
    var every = make('button', { type: 'button', textContent: 'All columns' }), count = make('output');
    var next = make('button', { type: 'button', className: 'next' });
    every.setAttribute('aria-pressed', 'false');
    data.shown.map(function (s) { return s[0]; }).concat(data.columns.map(function (_, c) { return c; })).filter(function (c, i, list) {
      return c >= 0 && numbers[c] && list.indexOf(c) === i;
    }).forEach(function (c) { which.append(make('option', { value: c, textContent: data.columns[c] })); });
    var ranged = which.options.length ? [make('label', {}, ['Column', which]), make('label', {}, ['from', from]), make('label', {}, ['to', to])] : [];
    table.parentNode.before(make('div', { className: 'tools' }, [make('label', {}, ['Find', find])].concat(ranged, [clear, every, count])));
    table.parentNode.after(next);
    [find, which, from, to].forEach(function (e) { e.addEventListener('input', filter); });
    clear.addEventListener('click', function () { find.value = from.value = to.value = ''; filter(); });
    next.addEventListener('click', function () { page += data.page * 5; draw(); });
    every.addEventListener('click', function () {
      wide = !wide;
      every.setAttribute('aria-pressed', String(wide));
      var there = data.shown.map(function (s) { return s[0]; });
      columns = data.shown.concat(!wide ? [] : data.columns.map(function (name, c) { return [c, -1, -1, name]; }).filter(function (s) { return there.indexOf(s[0]) < 0; }));
      if (sorted >= columns.length) sorted = -1;
      var top = table.tHead.rows[0];
      top.replaceChildren.apply(top, columns.map(function (s) {
        return make('th', { scope: 'col', className: s[0] >= 0 && !numbers[s[0]] ? 't' : '' }, [make('button', { type: 'button', className: 'sort', textContent: s[3] })]);
      }));
      heads = all('th', top);
      arrange();
      draw();
    });
    table.addEventListener('click', function (e) {
      var sort = e.target.closest('.sort'), more = e.target.closest('.more');
      if (sort) {
        var i = heads.indexOf(sort.parentNode);
        down = i === sorted ? !down : false;
        sorted = i;
        arrange();
        draw();
      }
      if (more) {
        var tr = more.closest('tr'), is = more.getAttribute('aria-expanded') === 'true', row = data.rows[tr.dataset.r];
        more.setAttribute('aria-expanded', String(!is));
        if (is) { tr.nextSibling.remove(); return; }
        var dl = make('dl');
        data.columns.forEach(function (name, c) {
          if (row[c + 2] !== '') dl.append(make('div', {}, [make('dt', { textContent: name }), make('dd', { textContent: row[c + 2] })]));
        });
        tr.after(make('tr', { className: 'all' }, [make('td', { colSpan: columns.length }, [dl])]));
      }
    });
    if (matchMedia('(max-width: 47rem)').matches && data.rows.length > 12) { page = data.page = 12; draw(); }
    next.textContent = 'Show ' + data.page * 5 + ' more';
    tell();

    /* The row of a point: on the page, first of all where it would not be. */
    this.reveal = function (id) {
      var i = data.rows.findIndex(function (r) { return r[0] === id; });
      if (i < 0) return;
      if (order.indexOf(i) < 0) clear.click();
      if (order.indexOf(i) < page) return;
      order.splice(order.indexOf(i), 1);
      order.unshift(i);
      draw();
    };
    this.nameOf = function (id) {
      var row = data.rows.find(function (r) { return r[0] === id; });
      return row ? row[1] : '';
    };
  }
  all('script[data-of]').forEach(function (s) {
    tables.push(new Table(document.getElementById(s.dataset.of), JSON.parse(s.textContent)));
  });
})();
