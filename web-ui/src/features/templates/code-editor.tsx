"use client";

import CodeMirror, {
  Decoration,
  type DecorationSet,
  Direction,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
} from "@uiw/react-codemirror";
import { useMemo } from "react";

// In a line from right to left, an action still reads from left to right.
const action = Decoration.mark({ class: "cm-action", bidiIsolate: Direction.LTR });
const actions = new MatchDecorator({ regexp: /\{\{.*?\}\}/g, decoration: action });

/** Marks the actions of a template, `{{ … }}`. */
const highlight = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = actions.createDeco(view);
    }

    update(update: ViewUpdate) {
      this.decorations = actions.updateDeco(update, this.decorations);
    }
  },
  {
    decorations: (plugin) => plugin.decorations,
    // Tells the cursor what the style sheet tells the eye.
    provide: (plugin) =>
      EditorView.bidiIsolatedRanges.of((view) => view.plugin(plugin)?.decorations ?? Decoration.none),
  },
);

const looks = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "var(--text-sm)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-content": { fontFamily: "var(--font-mono)", padding: "0.75rem 0", caretColor: "var(--ink)" },
  // Each line has the direction of its own first letters.
  ".cm-line": { padding: "0 0.75rem", unicodeBidi: "plaintext", lineHeight: "1.6" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", borderColor: "var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-action": { color: "var(--accent)", fontWeight: "500", direction: "ltr", unicodeBidi: "isolate" },
});

/** A template as text. Tab leaves it, as it leaves every other control. */
export function CodeEditor({
  value,
  onChange,
  label,
  isReadOnly,
  onReady,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  isReadOnly: boolean;
  /** Gets what puts text in at the cursor, in place of what is selected, and goes on there. */
  onReady: (insert: (text: string) => void) => void;
}) {
  const extensions = useMemo(
    () => [
      highlight,
      looks,
      EditorView.lineWrapping,
      EditorView.perLineTextDirection.of(true),
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
    ],
    [label],
  );
  return (
    <div dir="ltr" className="overflow-hidden rounded-md border border-line-strong">
      <CodeMirror
        value={value}
        onChange={onChange}
        onCreateEditor={(view) =>
          onReady((text) => {
            view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true, userEvent: "input" });
            view.focus();
          })
        }
        extensions={extensions}
        theme="none"
        readOnly={isReadOnly}
        indentWithTab={false}
        minHeight="16rem"
        maxHeight="60vh"
        basicSetup={{ foldGutter: false, autocompletion: false, highlightActiveLine: false }}
      />
    </div>
  );
}
