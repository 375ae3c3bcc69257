"""The studio finish: a diffusion model makes a fast picture photoreal. diffusers is imported on first use, not before."""
