process CELLSCALE {
    tag "$meta.id"
    label 'process_high'

    conda "${moduleDir}/environment.yml"
    container "${params.container ?: 'cellscale:0.2.0'}"

    input:
    tuple val(meta), path(image, stageAs: 'input/*')
    path model

    output:
    tuple val(meta), path("${meta.id}/SEGMASK/*_WholeCellMask.tiff"), emit: whole_cell, optional: true
    tuple val(meta), path("${meta.id}/SEGMASK/*_NucleusMask.tiff"), emit: nucleus, optional: true
    tuple val(meta), path("${meta.id}/SEGMASK/*_Cells.geojson.gz"), emit: geojson
    tuple val(meta), path("${meta.id}/REPORTS/*_QUANT.parquet"), emit: parquet
    tuple val(meta), path("${meta.id}/REPORTS/*_QUANT.tsv"), emit: tsv
    tuple val(meta), path("${meta.id}/REPORTS/*_QUANT.h5ad"), emit: anndata, optional: true
    tuple val(meta), path("${meta.id}/REPORTS/*.html"), emit: report, optional: true
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def network = model ? "--model_path ${model}" : ''
    def memory = task.memory ? "--max_memory ${task.memory.toMega().intdiv(8) * 7}MB" : ''
    """
    mkdir -p "${meta.id}/OMETIFF"
    ln -sfn "\$PWD/${image}" "${meta.id}/OMETIFF/"
    cellscale segment-and-measure --workers ${task.cpus} ${memory} ${network} ${args} workspace "${meta.id}"

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        cellscale: \$(cellscale --version | sed 's/.* //')
    END_VERSIONS
    """

    stub:
    """
    mkdir -p "${meta.id}/SEGMASK" "${meta.id}/REPORTS"
    touch "${meta.id}/SEGMASK/${meta.id}_WholeCellMask.tiff" "${meta.id}/SEGMASK/${meta.id}_NucleusMask.tiff"
    echo | gzip > "${meta.id}/SEGMASK/${meta.id}_Cells.geojson.gz"
    touch "${meta.id}/REPORTS/${meta.id}_QUANT.parquet" "${meta.id}/REPORTS/${meta.id}_QUANT.tsv"
    touch "${meta.id}/REPORTS/${meta.id}_QUANT.h5ad" "${meta.id}/REPORTS/index.html"

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        cellscale: \$(cellscale --version | sed 's/.* //')
    END_VERSIONS
    """
}
