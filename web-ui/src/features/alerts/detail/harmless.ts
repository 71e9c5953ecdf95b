/** What can act, load or send by itself. The frame's sandbox and policy forbid it too; without it they stay quiet. */
const ACTIVE =
  "script, iframe, frame, frameset, object, embed, applet, link, base, meta, form, input, button, video, audio, source, svg, template, noscript";

const LOADS = ["src", "srcset", "background", "poster", "data", "action", "formaction", "ping", "href", "xlink:href"];

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A mail's HTML as a page that loads nothing from anywhere: outside pictures become their description. */
export function harmless(html: string): string {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const element of page.querySelectorAll(ACTIVE)) element.remove();
  for (const image of page.querySelectorAll("img")) {
    if (!image.src.startsWith("data:image/")) image.replaceWith(page.createTextNode(`[${image.alt || "…"}]`));
  }
  for (const element of page.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) {
      const isKeptImage = element.tagName === "IMG" && name === "src";
      if (name.startsWith("on") || (LOADS.includes(name) && !isKeptImage)) element.removeAttribute(name);
    }
    const style = element.getAttribute("style");
    if (style) element.setAttribute("style", withoutLoads(style));
  }
  for (const style of page.querySelectorAll("style")) style.textContent = withoutLoads(style.textContent);
  const policy = page.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = POLICY;
  page.head.prepend(policy);
  return `<!doctype html>${page.documentElement.outerHTML}`;
}

/** Style sheets load by `url(…)` and `@import`; what is written with escapes may be either. */
function withoutLoads(css: string): string {
  return css.includes("\\")
    ? ""
    : css.replaceAll(/@import[^;]*;?/gi, "").replaceAll(/(url|image-set|image)\s*\([^)]*\)?/gi, "none");
}
