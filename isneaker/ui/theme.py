"""The page's looks."""

import gradio as gr

THEME = gr.themes.Base(
    primary_hue=gr.themes.colors.orange,
    secondary_hue=gr.themes.colors.slate,
    neutral_hue=gr.themes.colors.stone,
    radius_size=gr.themes.sizes.radius_lg,
    font=("Avenir Next", "Avenir", "Segoe UI", "Helvetica Neue", "Arial", "sans-serif"),
).set(
    body_background_fill="#f6f3ee",
    body_background_fill_dark="#15130f",
    block_background_fill="#ffffff",
    block_background_fill_dark="#1f1c18",
    block_border_width="0px",
    block_shadow="0 1px 2px rgb(0 0 0 / 6%), 0 6px 24px rgb(0 0 0 / 5%)",
    block_shadow_dark="none",
    button_primary_background_fill="#e8501e",
    button_primary_background_fill_hover="#cf4216",
    button_primary_background_fill_dark="#e8501e",
    button_primary_text_color="#ffffff",
    slider_color="#e8501e",
)

CSS = """
.gradio-container { max-width: 1240px !important; margin: 0 auto !important; }
#masthead { padding: 10px 4px 0; }
#masthead h1 { font-size: 30px; font-weight: 800; letter-spacing: -0.03em; margin: 0; }
#masthead h1 span { color: #e8501e; }
#masthead p { margin: 2px 0 0; opacity: 0.75; }
.picture { background: #fff; }
.picture img { background: #fff; object-fit: contain; width: 100%; }
#outlines, .actions { gap: 8px; }
.actions button { padding-inline: 6px; white-space: nowrap; }
#variants, .variants { height: auto !important; min-height: 0; }
#variants, #variants *, .variants, .variants * { min-width: 0; }
#variants .grid-container, .variants .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
#variants img, .variants img { background: #fff; }
.message:not(:has(p)) { display: none; }
#fine-print { font-size: 12px; opacity: 0.65; }
footer { opacity: 0.5; }
.tiles { height: auto !important; min-height: 0; padding: 0 !important; box-shadow: none !important; }
.tiles, .tiles * { min-width: 0; }
.tiles .grid-wrap { height: auto !important; min-height: 0; max-height: none !important; padding: 0; }
.tiles .thumbnail-item { aspect-ratio: 4 / 3; background: #fff; }
.tiles .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
.tiles img { background: #fff; }
@media (max-width: 640px) {
  #tabs .tab-container button { padding: 0 5px; font-size: 13px; }
  .tiles .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
  .gradio-container .fillable > .wrap { padding: 8px !important; }
  #masthead { padding: 0; }
  .actions button { padding-inline: 4px; font-size: 14px; min-width: max-content !important; }
  .actions button[id$="heart"] { padding-inline: 11px; }
  #masthead h1 { font-size: 24px; }
}
"""

# A file dropped anywhere but on the drawing or a box for photos goes to the "open" box.
HEAD = """
<meta name="description" content="Draw a few lines and see a sneaker while you draw.">
<script>
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  const input = document.querySelector("#open-png input[type=file]");
  if (!input || !event.dataTransfer.files.length || event.target.closest("#open-png, #pad, .photo, #edit-upload")) return;
  if (!event.dataTransfer.files[0].name.toLowerCase().endsWith(".png")) return;
  event.preventDefault();
  event.stopPropagation();
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}, true);
</script>
"""
