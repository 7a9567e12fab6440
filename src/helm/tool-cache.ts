// What is used of the toolkit; dist/ gets no more of it.
export { cacheDir, extractZip, find, findAllVersions } from '@actions/tool-cache'
