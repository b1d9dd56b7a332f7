/** Style sheets are imported for what they do: vite makes files of them. */
declare module "*.css";
